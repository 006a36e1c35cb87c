rule choose_trial:
    """Take the trial of a search that the validation bins prefer; only it goes on to the test bins."""
    input:
        script=script("choose_trial.py"),
        trials=lambda wildcards: [
            f"{folder}/{file}"
            for folder in PLAN.trials(**place(wildcards))
            for file in ("model.ckpt", "config.json", "history.csv")
        ],
    output:
        checkpoint=f"{layout.TRAINED}/model.ckpt",
        config=f"{layout.TRAINED}/config.json",
        history=f"{layout.TRAINED}/history.csv",
        table=f"{layout.TRAINED}/trials.tsv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/choose_trial.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/choose_trial.jsonl"
    wildcard_constraints:
        model=one_of(variants.chosen(RUN)),
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
        gpu=0,
    params:
        code=code("choose_trial.py"),
        trials=lambda wildcards: canonical(PLAN.trials(**place(wildcards))),
    shell:
        "python {input.script:q} --trials {params.trials:q} --checkpoint {output.checkpoint:q} "
        "--config-copy {output.config:q} --history {output.history:q} --table {output.table:q} --log {log:q}"


rule learning_curve:
    """Draw the scores of a run's models against the share of the labels that they were trained on."""
    input:
        script=script("draw_learning_curve.py"),
        manifest=rules.write_manifest.output.manifest,
        scored=lambda wildcards: [
            point[file]
            for point in PLAN.learning_curve()
            for file in ("metrics", "config")
        ],
    output:
        table=f"{layout.RUN}/learning_curve.tsv",
        figure=report(
            f"{layout.RUN}/learning_curve.svg",
            caption="../report/learning_curve.rst",
            category="Experiments",
            labels={"figure": "learning curve"},
        ),
    log:
        "logs/runs/{run}/learning_curve.log",
    benchmark:
        "benchmarks/runs/{run}/learning_curve.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
        gpu=0,
    params:
        code=code("draw_learning_curve.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --table {output.table:q} --figure {output.figure:q} --log {log:q}"


rule single_task:
    """Say what each target gains from being learnt together with the others."""
    input:
        script=script("compare_tasks.py"),
        manifest=rules.write_manifest.output.manifest,
        predictions=lambda wildcards: [
            path
            for comparison in PLAN.single_task()
            for pair in comparison["pairs"]
            for path in (*pair["joint"], *pair["single"])
        ],
        labels=lambda wildcards: [
            comparison[file]
            for comparison in PLAN.single_task()
            for file in ("windows", "targets", "target_table")
        ],
    output:
        table=f"{layout.RUN}/single_task.tsv",
        figure=report(
            f"{layout.RUN}/single_task.svg",
            caption="../report/single_task.rst",
            category="Experiments",
            labels={"figure": "joint against single-target models"},
        ),
    log:
        "logs/runs/{run}/single_task.log",
    benchmark:
        "benchmarks/runs/{run}/single_task.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("compare_tasks.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} --table {output.table:q} --figure {output.figure:q} "
        "--log {log:q}"


rule tabulate_architectures:
    """Set what the models of a run learn on a simulated genome beside what they cost."""
    input:
        script=script("tabulate_architectures.py"),
        manifest=rules.write_manifest.output.manifest,
        scored=lambda wildcards: scored_files(),
        explained=lambda wildcards: explained_files(),
    output:
        architectures=report(
            f"{layout.RUN}/architectures.tsv",
            caption="../report/architectures.rst",
            category="Scores",
            labels={"run": "{run}", "file": "architectures.tsv"},
        ),
        table=f"{layout.RUN}/architectures.txt",
    log:
        "logs/runs/{run}/tabulate_architectures.log",
    benchmark:
        "benchmarks/runs/{run}/tabulate_architectures.jsonl"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("tabulate_architectures.py"),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} "
        "--architectures {output.architectures:q} --table {output.table:q} --log {log:q}"
