rule write_manifest:
    """Write down what the run consists of: a list of any length, which no command line would hold."""
    output:
        manifest=f"{layout.RUN}/manifest.json",
    log:
        "logs/runs/{run}/write_manifest.log",
    params:
        manifest=lambda wildcards: canonical(PLAN.manifest()),
    run:
        write_json(Path(output.manifest), json.loads(params.manifest))


rule compare:
    """Set the scores of all models and baselines of a run beside each other."""
    input:
        script=script("compare.py"),
        manifest=rules.write_manifest.output.manifest,
        scored=lambda wildcards: scored_files(),
    output:
        scores=report(
            f"{layout.RUN}/scores.tsv",
            caption="../report/scores.rst",
            category="Scores",
            labels={"run": "{run}", "file": "scores.tsv"},
        ),
        table=f"{layout.RUN}/scores.txt",
    log:
        "logs/runs/{run}/compare.log",
    benchmark:
        "benchmarks/runs/{run}/compare.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("compare.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --scores {output.scores:q} --table {output.table:q} --log {log:q}"


rule compare_models:
    """Say which models and baselines of a run differ on the same test bins, and which do not."""
    input:
        script=script("compare_models.py"),
        manifest=rules.write_manifest.output.manifest,
        compared=lambda wildcards: PLAN.compared_files(),
    output:
        comparisons=report(
            layout.COMPARISONS,
            caption="../report/comparisons.rst",
            category="Scores",
            labels={"run": "{run}", "file": "comparisons.tsv"},
        ),
    log:
        "logs/runs/{run}/compare_models.log",
    benchmark:
        "benchmarks/runs/{run}/compare_models.jsonl"
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("compare_models.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --comparisons {output.comparisons:q} --log {log:q}"


rule write_ledger:
    """Set the scores of a run beside the published ones of its data sets."""
    input:
        script=script("write_ledger.py"),
        manifest=rules.write_manifest.output.manifest,
        scored=lambda wildcards: scored_files(),
    output:
        ledger=report(
            f"{layout.RUN}/ledger.tsv",
            caption="../report/ledger.rst",
            category="Scores",
            labels={"run": "{run}", "file": "ledger.tsv"},
        ),
        table=f"{layout.RUN}/ledger.txt",
    log:
        "logs/runs/{run}/write_ledger.log",
    benchmark:
        "benchmarks/runs/{run}/write_ledger.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("write_ledger.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --ledger {output.ledger:q} --table {output.table:q} --log {log:q}"


rule report:
    """Put the whole run on one page."""
    input:
        script=script("report.py"),
        manifest=rules.write_manifest.output.manifest,
        templates=sorted(
            str(Path(os.path.relpath(path)))
            for path in (HOME / "scripts/lociflow/report/templates").iterdir()
        ),
        scored=lambda wildcards: scored_files(),
        comparisons=rules.compare_models.output.comparisons,
        explained=lambda wildcards: explained_files(),
        effects=PLAN.effect_files(),
        tracks=track_requests.files(PLAN),
    output:
        page=report(
            f"{layout.RUN}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"run": "{run}", "file": "report.html"},
        ),
        figures=report(
            directory(f"{layout.RUN}/figures"),
            patterns=["{of}/{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
            subcategory="{of}",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/runs/{run}/report.log",
    benchmark:
        "benchmarks/runs/{run}/report.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("report.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --comparisons {input.comparisons:q} "
        "--report {output.page:q} --figures {output.figures:q} --log {log:q}"
