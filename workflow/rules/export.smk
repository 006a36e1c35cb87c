rule export_model:
    """Write a trained model for use without lociflow, with its model card."""
    input:
        script=script("export_model.py"),
        templates=sorted(
            str(Path(os.path.relpath(path)))
            for path in (HOME / "scripts/lociflow/export/templates").iterdir()
        ),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        control=rules.make_windows.output.control,
        checkpoint=rules.train.output.checkpoint,
        predictions=rules.predict.output.predictions,
        metrics=f"{layout.TRAINED}/metrics.json",
        audit=rules.audit_dataset.output.audit,
        baselines=lambda wildcards: list(card_baselines(wildcards).values()),
        sources=card_sources,
    output:
        folder=directory(layout.EXPORT),
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/export_model.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/export_model.jsonl"
    conda:
        "../../envs/export.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(120),
        gpu=0,
    params:
        code=lambda wildcards: code("export_model.py", training_config(wildcards)),
        about=lambda wildcards: canonical(
            PLAN.about_export(wildcards.dataset, wildcards.model)
        ),
        formats=lambda wildcards: flags(
            "--formats", (RUN.get("export") or {}).get("formats", [])
        ),
        baselines=lambda wildcards: flags(
            "--baselines",
            [f"{name}={path}" for name, path in card_baselines(wildcards).items()],
        ),
        sources=lambda wildcards, input: flags("--sources", input.sources),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --control {input.control:q} "
        "--checkpoint {input.checkpoint:q} --predictions {input.predictions:q} --metrics {input.metrics:q} "
        "--audit {input.audit:q} {params.baselines} {params.sources} --about {params.about:q} {params.formats} "
        "--folder {output.folder:q} --log {log:q}"
