rule predict:
    """Predict the validation and test bins with a trained model."""
    input:
        script=script("predict.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        control=rules.make_windows.output.control,
        checkpoint=rules.train.output.checkpoint,
    output:
        predictions=f"{layout.TRAINED}/predictions.parquet",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/predict.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/predict.jsonl"
    conda:
        "../../envs/predict.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=gpus(),
    params:
        code=lambda wildcards: code("predict.py", training_config(wildcards)),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --control {input.control:q} "
        "--checkpoint {input.checkpoint:q} --predictions {output.predictions:q} --workers $(({threads} - 1)) "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule encode_latent:
    """Encode the validation and test bins with a model that was trained without labels, and say how well it restores them."""
    input:
        script=script("encode_latent.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        control=rules.make_windows.output.control,
        checkpoint=rules.train.output.checkpoint,
    output:
        latent=f"{layout.TRAINED}/latent.parquet",
        reconstruction=f"{layout.TRAINED}/reconstruction.json",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/encode_latent.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/encode_latent.jsonl"
    conda:
        "../../envs/predict.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=gpus(),
    params:
        code=lambda wildcards: code("encode_latent.py", training_config(wildcards)),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --control {input.control:q} "
        "--checkpoint {input.checkpoint:q} --latent {output.latent:q} --reconstruction {output.reconstruction:q} "
        "--workers $(({threads} - 1)) "
        "--device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule fit_baseline:
    """Fit what a model has to beat, on the same bins, and predict with it."""
    input:
        script=script("fit_baseline.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        admitted=ancient(rules.admit_dataset.output.admitted),
        scores=lambda wildcards: scores_of_tool(wildcards),
    output:
        predictions=f"{layout.BASELINE}/predictions.parquet",
    log:
        "logs/{dataset}/{split}/baselines/{baseline}/fit.log",
    benchmark:
        "benchmarks/{dataset}/{split}/baselines/{baseline}/fit.jsonl"
    wildcard_constraints:
        baseline="(?!ceiling/)[A-Za-z0-9_.-]+",
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime=grows(240),
        gpu=0,
    params:
        code=lambda wildcards: code("fit_baseline.py", baseline_config(wildcards)),
        config=lambda wildcards: canonical(baseline_config(wildcards)),
        scores=lambda wildcards, input: flags("--scores", input.scores),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --split {wildcards.split:q} --config {params.config:q} {params.scores} "
        "--predictions {output.predictions:q} --log {log:q}"


rule score_ceiling:
    """Score the bins of a simulated genome with the likelihoods that made them: the best that sequence allows."""
    input:
        script=script("score_ceiling.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        admitted=ancient(rules.admit_dataset.output.admitted),
        sites=rules.simulate.output.sites,
    output:
        predictions=f"{layout.CEILING}/predictions.parquet",
    log:
        "logs/{dataset}/{split}/baselines/ceiling/score.log",
    benchmark:
        "benchmarks/{dataset}/{split}/baselines/ceiling/score.jsonl"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("score_ceiling.py"),
        config=lambda wildcards: canonical(dataset(wildcards.dataset)["simulation"]),
        labels=lambda wildcards: canonical(dataset(wildcards.dataset)["labels"]),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --split {wildcards.split:q} --sites {input.sites:q} "
        "--config {params.config:q} --labels {params.labels:q} --predictions {output.predictions:q} --log {log:q}"


rule pool_folds:
    """Put the test predictions of all folds of a cross-validation into one table."""
    input:
        script=script("pool_folds.py"),
        windows=rules.make_windows.output.windows,
        predictions=lambda wildcards: [
            f"results/{wildcards.dataset}/{fold}/{wildcards.pooled_of}/predictions.parquet"
            for fold in folds_of(wildcards.dataset, wildcards.pooled)
        ],
    output:
        predictions="results/{dataset}/{pooled}/{pooled_of}/predictions.parquet",
    log:
        "logs/{dataset}/{pooled}/{pooled_of}/pool_folds.log",
    benchmark:
        "benchmarks/{dataset}/{pooled}/{pooled_of}/pool_folds.jsonl"
    wildcard_constraints:
        pooled=one_of(pooled_names()),
        # The mean over seeds is made of pooled predictions, and not pooled of means.
        pooled_of="[^/]+/(?!ensemble-)[^/]+",
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("pool_folds.py"),
        folds=lambda wildcards, input: flags(
            "--folds",
            [
                f"{fold}={path}"
                for fold, path in zip(
                    folds_of(wildcards.dataset, wildcards.pooled), input.predictions
                )
            ],
        ),
    shell:
        "python {input.script:q} --windows {input.windows:q} {params.folds} --predictions {output.predictions:q} --log {log:q}"


rule average_seeds:
    """Average the predictions of a model's seeds."""
    input:
        script=script("average_seeds.py"),
        seeds=lambda wildcards: [
            f"{layout.TRAINED.format(**wildcards, seed=seed)}/predictions.parquet"
            for seed in wildcards.seeds.split("-")
        ],
    output:
        predictions=f"{layout.ENSEMBLE}/predictions.parquet",
    log:
        "logs/{dataset}/{split}/{model}/ensemble-{seeds}/average_seeds.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/ensemble-{seeds}/average_seeds.jsonl"
    wildcard_constraints:
        split=one_of(PLAN.all_splits | pooled_names()),
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("average_seeds.py"),
    shell:
        "python {input.script:q} --seeds {input.seeds:q} --predictions {output.predictions:q} --log {log:q}"


rule evaluate:
    """Score a model's predictions of the test bins, with intervals."""
    input:
        script=script("evaluate.py"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        properties=rules.describe_bins.output.properties,
        similarity=rules.audit_dataset.output.similarity,
        predictions="results/{dataset}/{scored}/predictions.parquet",
        sites=lambda wildcards: paired_sites(wildcards.dataset),
    output:
        metrics="results/{dataset}/{scored}/metrics.json",
        curves="results/{dataset}/{scored}/curves.npz",
        draws="results/{dataset}/{scored}/draws.npz",
    log:
        "logs/{dataset}/{scored}/evaluate.log",
    benchmark:
        "benchmarks/{dataset}/{scored}/evaluate.jsonl"
    wildcard_constraints:
        scored=".+/.+/.+",
    conda:
        "../../envs/evaluate.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("evaluate.py"),
        split=lambda wildcards: wildcards.scored.partition("/")[0],
        folds=lambda wildcards: flags(
            "--folds",
            folds_of(wildcards.dataset, wildcards.scored.partition("/")[0]),
        ),
        config=lambda wildcards: canonical(PLAN.evaluation(wildcards.dataset)),
        sites=lambda wildcards, input: flag("--sites", input.sites),
        pair=lambda wildcards: flags("--pair", planted_pair(wildcards.dataset)),
    shell:
        "python {input.script:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --split {params.split:q} {params.folds} --predictions {input.predictions:q} "
        "--properties {input.properties:q} --similarity {input.similarity:q} --config {params.config:q} {params.sites} {params.pair} "
        "--metrics {output.metrics:q} --curves {output.curves:q} --draws {output.draws:q} --log {log:q}"
