rule train:
    """Train one model with one seed, and stop when the validation bins say so."""
    input:
        script=script("train.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        control=rules.make_windows.output.control,
        target_table=rules.make_windows.output.target_table,
        # Only that it exists counts: an audit that comes to the same verdict again retrains nothing.
        admitted=ancient(rules.admit_dataset.output.admitted),
        start_from=origin_checkpoint,
    output:
        checkpoint=f"{layout.TRAINED}/model.ckpt",
        config=f"{layout.TRAINED}/config.json",
        history=f"{layout.TRAINED}/history.csv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/train.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/train.jsonl"
    wildcard_constraints:
        model=one_of(LABELS - set(variants.chosen(RUN))),
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(720),
        gpu=gpus(),
    params:
        code=lambda wildcards: code("train.py", training_config(wildcards)),
        config=lambda wildcards: canonical(training_config(wildcards)),
        resume=f"{layout.TRAINED}/resume",
        start_from=lambda wildcards, input: flag("--start-from", input.start_from),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--control {input.control:q} --target-table {input.target_table:q} --config {params.config:q} --checkpoint {output.checkpoint:q} "
        "--config-copy {output.config:q} --history {output.history:q} --resume {params.resume:q} {params.start_from} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) "
        "--devices $([ {resources.gpu} -gt 1 ] && echo {resources.gpu} || echo 1) "
        "--workers $((({threads} - 1) / ({resources.gpu} > 1 ? {resources.gpu} : 1))) --log {log:q}"
