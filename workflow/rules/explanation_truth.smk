rule score_motifs:
    """Score the motifs of every explanation of a simulated genome against the planted ones."""
    input:
        script=script("score_motifs.py"),
        motifs=lambda wildcards: list(motif_sets(PLAN, wildcards.dataset).values()),
        checks=lambda wildcards: list(motif_checks(PLAN, wildcards.dataset).values()),
    output:
        scores=layout.MOTIF_RECOVERY,
    log:
        "logs/runs/{run}/{dataset}.score_motifs.log",
    benchmark:
        "benchmarks/runs/{run}/{dataset}.score_motifs.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("score_motifs.py"),
        motifs=lambda wildcards: [
            f"{label}={path}"
            for label, path in motif_sets(PLAN, wildcards.dataset).items()
        ],
        checks=lambda wildcards: flags(
            "--checks",
            [
                f"{label}={path}"
                for label, path in motif_checks(PLAN, wildcards.dataset).items()
            ],
        ),
        simulation=lambda wildcards: canonical(dataset(wildcards.dataset)["simulation"]),
        config=lambda wildcards: canonical(jaspar_config(wildcards.dataset)),
    shell:
        "NUMBA_NUM_THREADS={threads} python {input.script:q} --motifs {params.motifs:q} {params.checks} "
        "--simulation {params.simulation:q} --config {params.config:q} --scores {output.scores:q} --log {log:q}"


rule rank_explanations:
    """Say which explanation to trust for which architecture: all of a run's against the planted truth."""
    input:
        script=script("rank_explanations.py"),
        manifest=rules.write_manifest.output.manifest,
        recovery=rules.score_motifs.output.scores,
        truth=lambda wildcards: truth_files(PLAN, wildcards.dataset),
        checks=lambda wildcards: check_files(PLAN, wildcards.dataset),
        metrics=lambda wildcards: explained_scores(PLAN, wildcards.dataset),
    output:
        ranking=report(
            layout.EXPLANATION_RANKING,
            caption="../report/explanations.rst",
            category="Explanations",
            labels={"data set": "{dataset}", "file": "explanations.tsv"},
        ),
        factors=report(
            layout.EXPLAINED_FACTORS,
            caption="../report/explanations.rst",
            category="Explanations",
            labels={"data set": "{dataset}", "file": "explanation_factors.tsv"},
        ),
        figure=report(
            layout.EXPLANATION_FIGURE,
            caption="../report/explanations.rst",
            category="Explanations",
            labels={"data set": "{dataset}", "file": "explanations.svg"},
        ),
    log:
        "logs/runs/{run}/{dataset}.rank_explanations.log",
    benchmark:
        "benchmarks/runs/{run}/{dataset}.rank_explanations.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("rank_explanations.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --dataset {wildcards.dataset:q} --ranking {output.ranking:q} "
        "--factors {output.factors:q} --figure {output.figure:q} --log {log:q}"
