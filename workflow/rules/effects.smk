rule score_background:
    """Score the variants with whose effects those of others are compared."""
    input:
        script=script("score_background.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        checkpoints=checkpoints_of_seeds,
        variants=variants_of("background"),
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        background=variant_effects.BACKGROUND,
    log:
        "logs/{dataset}/{split}/{model}/effects/seeds-{seeds}/score_background.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/effects/seeds-{seeds}/score_background.jsonl"
    conda:
        "../../envs/effects.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=gpus(),
    params:
        code=lambda wildcards: code("score_background.py", training_of_seeds(wildcards)),
        config=effect_settings,
        variants=lambda wildcards, input: flag("--variants", input.variants),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --checkpoints {input.checkpoints:q} "
        "{params.variants} --config {params.config:q} --background {output.background:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule score_variants:
    """Score the variants of a file with the seeds of a model: an annotated VCF and a table."""
    input:
        script=script("score_variants.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        checkpoints=checkpoints_of_seeds,
        background=rules.score_background.output.background,
        variants=lambda wildcards: variants_of(wildcards.variants),
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        vcf=f"{variant_effects.FILE}.vcf.gz",
        vcf_index=f"{variant_effects.FILE}.vcf.gz.csi",
        table=f"{variant_effects.FILE}.tsv.gz",
        table_index=f"{variant_effects.FILE}.tsv.gz.csi",
        counts=f"{variant_effects.FILE}.json",
    log:
        "logs/{dataset}/{split}/{model}/effects/seeds-{seeds}/{variants}.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/effects/seeds-{seeds}/{variants}.jsonl"
    wildcard_constraints:
        variants=one_of(variant_effects.asked(RUN).get("files") or {}),
    conda:
        "../../envs/effects.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(480),
        gpu=gpus(),
    params:
        code=lambda wildcards: code("score_variants.py", training_of_seeds(wildcards)),
        config=effect_settings,
    shell:
        "python {input.script:q} --variants {input.variants:q} --store {input.store:q} --checkpoints {input.checkpoints:q} "
        "--background {input.background:q} --config {params.config:q} --vcf {output.vcf:q} --vcf-index {output.vcf_index:q} "
        "--table {output.table:q} --table-index {output.table_index:q} --counts {output.counts:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule saturate_region:
    """Score every substitution of a region with the seeds of a model."""
    input:
        script=script("saturate_region.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        checkpoints=checkpoints_of_seeds,
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        table=f"{variant_effects.SATURATION}.tsv",
        figures=directory(variant_effects.SATURATION),
    log:
        "logs/{dataset}/{split}/{model}/effects/seeds-{seeds}/saturation/{region}.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/effects/seeds-{seeds}/saturation/{region}.jsonl"
    wildcard_constraints:
        region=one_of(variant_effects.asked(RUN).get("saturation") or {}),
    conda:
        "../../envs/effects.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=gpus(),
    params:
        code=lambda wildcards: code("saturate_region.py", training_of_seeds(wildcards)),
        config=effect_settings,
        region=lambda wildcards: variant_effects.asked(RUN)["saturation"][
            wildcards.region
        ],
    shell:
        "python {input.script:q} --store {input.store:q} --checkpoints {input.checkpoints:q} --region {params.region:q} "
        "--config {params.config:q} --table {output.table:q} --figures {output.figures:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"
