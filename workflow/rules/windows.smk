rule make_windows:
    """Cut the genome into labelled bins, or take labelled sequences as bins, and split them."""
    input:
        script=script("make_windows.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        sources=lambda wildcards: paths(
            {
                key: value
                for key, value in files_of(wildcards.dataset).items()
                if key in ("targets", "sequences")
            }
        ),
        blacklist=lambda wildcards: paths(
            files_of(wildcards.dataset).get("blacklist", [])
        ),
        sheet=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset)["targets"].get("sheet")
        ),
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        windows=f"{layout.DATASET}/windows.parquet",
        targets=f"{layout.DATASET}/targets.npy",
        control=f"{layout.DATASET}/control.npy",
        target_table=f"{layout.DATASET}/targets.tsv",
        counts=f"{layout.DATASET}/windows.json",
        removed=f"{layout.DATASET}/removed.tsv",
    log:
        "logs/{dataset}/make_windows.log",
    benchmark:
        "benchmarks/{dataset}/make_windows.jsonl"
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=lambda wildcards: code(
            "make_windows.py", windows_config(wildcards.dataset)
        ),
        # In the order of the data set's file: that of targets, features and tracks means something.
        config=lambda wildcards: json.dumps(
            windows_config(wildcards.dataset), ensure_ascii=False
        ),
        sources=layout.SOURCE.format(file=""),
        blacklist=lambda wildcards, input: flag("--blacklist", input.blacklist),
        sheet=lambda wildcards, input: flag("--sheet", input.sheet),
    shell:
        "python {input.script:q} --store {input.store:q} --config {params.config:q} --sources {params.sources:q} "
        "{params.sheet} {params.blacklist} --windows {output.windows:q} --targets {output.targets:q} "
        "--control {output.control:q} --target-table {output.target_table:q} --counts {output.counts:q} "
        "--removed {output.removed:q} --log {log:q}"


rule describe_bins:
    """Say of every bin its GC content and how far the nearest gene starts, for scores by stratum."""
    input:
        script=script("describe_bins.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        genes=lambda wildcards: paths(files_of(wildcards.dataset)["genes"]),
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        properties=f"{layout.DATASET}/properties.parquet",
    log:
        "logs/{dataset}/describe_bins.log",
    benchmark:
        "benchmarks/{dataset}/describe_bins.jsonl"
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("describe_bins.py"),
        config=lambda wildcards: canonical(
            {
                "length": windows_config(wildcards.dataset)["windows"]["length"],
                "contig_aliases": windows_config(wildcards.dataset)["contig_aliases"],
            }
        ),
        genes=lambda wildcards, input: flag("--genes", input.genes),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --config {params.config:q} "
        "{params.genes} --properties {output.properties:q} --log {log:q}"


rule audit_dataset:
    """Look for leaks, shortcuts and wrong coordinates in a data set, before anything is trained on it."""
    input:
        script=script("audit_dataset.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        targets=rules.make_windows.output.targets,
        target_table=rules.make_windows.output.target_table,
        counts=rules.make_windows.output.counts,
        variants=lambda wildcards: paths(
            files_of(wildcards.dataset).get("variants", [])
        ),
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        audit=f"{layout.DATASET}/audit.json",
        page=report(
            f"{layout.DATASET}/audit.html",
            category="Audit",
            labels={"data set": "{dataset}"},
            caption="../report/audit.rst",
        ),
        similarity=f"{layout.DATASET}/similarity.parquet",
    log:
        "logs/{dataset}/audit_dataset.log",
    benchmark:
        "benchmarks/{dataset}/audit_dataset.jsonl"
    conda:
        "../../envs/audit.yaml"
    threads: 1
    resources:
        mem_mb=grows(8000),
        runtime=grows(120),
        gpu=0,
    params:
        code=code("audit_dataset.py"),
        config=lambda wildcards: canonical(
            PLAN.audit(wildcards.dataset, windows_config(wildcards.dataset))
        ),
        variants=lambda wildcards, input: flags("--variants", input.variants),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --targets {input.targets:q} "
        "--target-table {input.target_table:q} --counts {input.counts:q} --config {params.config:q} {params.variants} "
        "--audit {output.audit:q} --page {output.page:q} --similarity {output.similarity:q} --log {log:q}"


rule admit_dataset:
    """Let a data set pass to training when its audit found nothing that fails, or when a failure is only to warn."""
    input:
        script=script("admit_dataset.py"),
        audit=rules.audit_dataset.output.audit,
        page=rules.audit_dataset.output.page,
    output:
        admitted=f"{layout.DATASET}/{{split}}/admitted.json",
    log:
        "logs/{dataset}/{split}/admit_dataset.log",
    benchmark:
        "benchmarks/{dataset}/{split}/admit_dataset.jsonl"
    conda:
        "../../envs/audit.yaml"
    threads: 1
    resources:
        mem_mb=grows(500),
        runtime=grows(10),
        gpu=0,
    params:
        code=code("admit_dataset.py"),
    shell:
        "python {input.script:q} --audit {input.audit:q} --page {input.page:q} --split {wildcards.split:q} "
        "--admitted {output.admitted:q} --log {log:q}"
