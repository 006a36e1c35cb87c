rule score_prefixes:
    """Show how a model's output builds up along example windows."""
    input:
        script=script("score_prefixes.py"),
        checkpoint=rules.train.output.checkpoint,
        attributions=rules.attribute.output.attributions,
    output:
        table=f"{layout.EXPLANATION}/prefixes.tsv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/score_prefixes.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/score_prefixes.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(240),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "score_prefixes.py", training_config(wildcards)["model"]
        ),
        config=lambda wildcards: canonical(
            interpretation(wildcards.dataset).get("prefixes") or {}
        ),
    shell:
        "python {input.script:q} --checkpoint {input.checkpoint:q} --attributions {input.attributions:q} "
        "--config {params.config:q} --table {output.table:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"
