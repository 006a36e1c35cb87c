rule check_explanations:
    """Check whether explanations follow the weights, whether predictions follow them, and whether they add up."""
    input:
        script=script("check_explanations.py"),
        attributions=rules.attribute.output.attributions,
        checkpoint=rules.train.output.checkpoint,
    output:
        checks=f"{layout.EXPLANATION}/checks.json",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/check_explanations.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/check_explanations.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "check_explanations.py",
            attribution_config(wildcards),
            training_config(wildcards)["model"],
        ),
        config=lambda wildcards: canonical(checks_config(wildcards)),
    shell:
        "python {input.script:q} --attributions {input.attributions:q} --checkpoint {input.checkpoint:q} "
        "--config {params.config:q} --checks {output.checks:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


use rule attribute as attribute_few with:
    output:
        attributions=f"{layout.EXPLANATION}/few.npz",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/attribute_few.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/attribute_few.jsonl"
    params:
        code=lambda wildcards: code(
            "attribute.py",
            attribution_config(wildcards),
            training_config(wildcards)["model"],
        ),
        config=lambda wildcards: canonical(few_config(wildcards)),


rule agreement:
    """Measure how far explanations of the same windows agree between seeds, methods and models."""
    input:
        script=script("agreement.py"),
        attributions=lambda wildcards: list(
            PLAN.compared_explanations(wildcards.dataset).values()
        ),
    output:
        agreement=layout.AGREEMENT,
    log:
        "logs/runs/{run}/{dataset}.agreement.log",
    benchmark:
        "benchmarks/runs/{run}/{dataset}.agreement.jsonl"
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("agreement.py"),
        attributions=lambda wildcards: [
            f"{label}={path}"
            for label, path in PLAN.compared_explanations(wildcards.dataset).items()
        ],
    shell:
        "python {input.script:q} --attributions {params.attributions:q} --agreement {output.agreement:q} --log {log:q}"
