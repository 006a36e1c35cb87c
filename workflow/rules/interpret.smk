rule attribute:
    """Say what each base of the test windows contributes to a model's outputs."""
    input:
        script=script("attribute.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        checkpoint=rules.train.output.checkpoint,
    output:
        attributions=f"{layout.EXPLANATION}/attributions.npz",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/attribute.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/attribute.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(240),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "attribute.py",
            attribution_config(wildcards),
            training_config(wildcards)["model"],
        ),
        config=lambda wildcards: canonical(attribution_config(wildcards)),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --checkpoint {input.checkpoint:q} --config {params.config:q} "
        "--attributions {output.attributions:q} --device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule discover_motifs:
    """Cluster the stretches that contribute into motifs (TF-MoDISco)."""
    input:
        script=script("discover_motifs.py"),
        attributions=rules.attribute.output.attributions,
    output:
        modisco=f"{layout.EXPLANATION}/modisco.h5",
        meme=f"{layout.EXPLANATION}/modisco.meme",
        table=f"{layout.EXPLANATION}/modisco.tsv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/discover_motifs.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/discover_motifs.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(240),
        gpu=0,
    params:
        code=code("discover_motifs.py"),
        config=lambda wildcards: canonical(interpretation(wildcards.dataset)["motifs"]),
    shell:
        "NUMBA_NUM_THREADS={threads} python {input.script:q} --attributions {input.attributions:q} --config {params.config:q} "
        "--modisco {output.modisco:q} --meme {output.meme:q} --table {output.table:q} --log {log:q}"


rule extract_filters:
    """Read the first layer's filters as position weight matrices, and say how much the outputs depend on each."""
    input:
        script=script("extract_filters.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        checkpoint=rules.train.output.checkpoint,
    output:
        meme=f"{layout.INTERPRETATION}/filters.meme",
        table=f"{layout.INTERPRETATION}/filters.tsv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/extract_filters.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/extract_filters.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(240),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "extract_filters.py", training_config(wildcards)["model"]
        ),
        config=lambda wildcards: canonical(interpretation(wildcards.dataset)["filters"]),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --checkpoint {input.checkpoint:q} --config {params.config:q} --meme {output.meme:q} --table {output.table:q} "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule match_motifs:
    """Match all motifs of a run's models to JASPAR and the user's own, once, with one correction for all comparisons."""
    input:
        script=script("match_motifs.py"),
        modisco=lambda wildcards: PLAN.explanation_files(
            wildcards.dataset, PLAN.explained(), "modisco.meme"
        ),
        filters=lambda wildcards: PLAN.interpretation_files(
            wildcards.dataset, PLAN.explained(), "filters.meme"
        ),
        checks=lambda wildcards: [
            labelled.rpartition("=")[2]
            for labelled in PLAN.labelled_checks(wildcards.dataset)
        ],
        library=lambda wildcards: PLAN.motif_library(wildcards.dataset),
    output:
        matches=layout.MATCHES,
        matched=layout.MATCHED_MOTIFS,
    log:
        "logs/runs/{run}/{dataset}.match_motifs.log",
    benchmark:
        "benchmarks/runs/{run}/{dataset}.match_motifs.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=0,
    params:
        code=code("match_motifs.py"),
        config=lambda wildcards: canonical(jaspar_config(wildcards.dataset)),
        library=lambda wildcards, input: flag("--library", input.library),
        motifs=lambda wildcards: PLAN.labelled_motifs(wildcards.dataset),
        checks=lambda wildcards: flags(
            "--checks", PLAN.labelled_checks(wildcards.dataset)
        ),
    shell:
        "NUMBA_NUM_THREADS={threads} python {input.script:q} --motifs {params.motifs:q} {params.checks} --config {params.config:q} --matches {output.matches:q} "
        "--matched-meme {output.matched:q} {params.library} --log {log:q}"


rule score_explanations:
    """Score attributions against the planted sites of a simulated genome."""
    input:
        script=script("score_explanations.py"),
        attributions=rules.attribute.output.attributions,
        windows=rules.make_windows.output.windows,
        target_table=rules.make_windows.output.target_table,
        sites=rules.simulate.output.sites,
    output:
        scores=f"{layout.EXPLANATION}/truth.json",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/score_explanations.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/score_explanations.jsonl"
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("score_explanations.py"),
        config=lambda wildcards: canonical(PLAN.evaluation(wildcards.dataset)),
    shell:
        "python {input.script:q} --attributions {input.attributions:q} --windows {input.windows:q} "
        "--target-table {input.target_table:q} --sites {input.sites:q} --config {params.config:q} --scores {output.scores:q} "
        "--log {log:q}"
