rule map_attention:
    """Say what a model with attention looks at in the windows that were explained."""
    input:
        script=script("map_attention.py"),
        checkpoint=rules.train.output.checkpoint,
        attributions=rules.attribute.output.attributions,
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
        mem_mb=6000,
        runtime=60,
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "map_attention.py", training_config(wildcards)["model"]
        ),
    shell:
        "python {input.script:q} --checkpoint {input.checkpoint} --attributions {input.attributions} "
        "--attention {output.attention} --threads {threads} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log}"
