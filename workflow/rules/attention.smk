rule read_window_track:
    """Read the track along the explained windows that attention is held against."""
    input:
        script=script("read_window_track.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        attributions=rules.attribute.output.attributions,
        track=lambda wildcards: PLAN.attention_source(wildcards.dataset),
    output:
        values=f"{layout.EXPLANATION}/attention_track.npz",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/read_window_track.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/read_window_track.jsonl"
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("read_window_track.py"),
        config=lambda wildcards: canonical(
            {
                "name": PLAN.attention_track(wildcards.dataset),
                "contig_aliases": windows_config(wildcards.dataset)["contig_aliases"],
            }
        ),
        track=lambda wildcards, input: flag("--track", input.track),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --attributions {input.attributions:q} --config {params.config:q} "
        "{params.track} --values {output.values:q} --log {log:q}"


rule map_attention:
    """Say what a model with attention looks at in the windows that were explained."""
    input:
        script=script("map_attention.py"),
        checkpoint=rules.train.output.checkpoint,
        attributions=rules.attribute.output.attributions,
        track=lambda wildcards: (
            [rules.read_window_track.output.values]
            if PLAN.attention_track(wildcards.dataset)
            else []
        ),
    output:
        attention=f"{layout.EXPLANATION}/attention.npz",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/map_attention.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/map_attention.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(60),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "map_attention.py", training_config(wildcards)["model"]
        ),
        track=lambda wildcards, input: flag("--track", input.track),
    shell:
        "python {input.script:q} --checkpoint {input.checkpoint:q} --attributions {input.attributions:q} "
        "{params.track} --attention {output.attention:q} --threads {threads} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"
