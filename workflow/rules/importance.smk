rule measure_importance:
    """Ask a model about motifs: inserted, in pairs, taken out, and what it would like to see most."""
    input:
        script=script("measure_importance.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        checkpoint=rules.train.output.checkpoint,
        discovered=lambda wildcards: PLAN.explanation_files(
            wildcards.dataset, [wildcards.model], "modisco.meme"
        ),
        checks=checks_behind_motifs,
        motif_file=motif_file,
    output:
        importance=f"{layout.INTERPRETATION}/importance.json",
        table=f"{layout.INTERPRETATION}/importance.tsv",
        meme=f"{layout.INTERPRETATION}/maximised.meme",
        fasta=f"{layout.INTERPRETATION}/maximised.fasta",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/measure_importance.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/measure_importance.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(240),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "measure_importance.py", training_config(wildcards)["model"]
        ),
        config=lambda wildcards: canonical(importance_config(wildcards)),
        checks=lambda wildcards, input: flag("--checks", input.checks),
        motif_file=lambda wildcards, input: flag("--motif-file", input.motif_file),
    shell:
        "NUMBA_NUM_THREADS={threads} python {input.script:q} --store {input.store:q} --windows {input.windows:q} "
        "--targets {input.targets:q} --target-table {input.target_table:q} --checkpoint {input.checkpoint:q} "
        "--discovered {input.discovered:q} {params.checks} {params.motif_file} --config {params.config:q} "
        "--importance {output.importance:q} --table {output.table:q} --meme {output.meme:q} --fasta {output.fasta:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"
