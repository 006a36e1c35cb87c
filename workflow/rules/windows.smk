rule make_windows:
    """Cut the genome into labelled bins and split them."""
    input:
        script=script("make_windows.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        peaks=lambda wildcards: sorted(
            {
                layout.SOURCE.format(file=file)
                for file in target_files(wildcards.dataset).values()
            }
        ),
        blacklist=lambda wildcards: blacklist_file(wildcards.dataset),
        sheet=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset)["targets"].get("sheet")
        ),
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        windows=f"{layout.DATASET}/windows.parquet",
        targets=f"{layout.DATASET}/targets.npy",
        target_table=f"{layout.DATASET}/targets.tsv",
        counts=f"{layout.DATASET}/windows.json",
    log:
        "logs/{dataset}/make_windows.log",
    benchmark:
        "benchmarks/{dataset}/make_windows.jsonl"
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=0,
    params:
        code=lambda wildcards: code(
            "make_windows.py", windows_config(wildcards.dataset)
        ),
        config=lambda wildcards: canonical(windows_config(wildcards.dataset)),
        sources=layout.SOURCE.format(file=""),
        blacklist=lambda wildcards, input: (flag("--blacklist", input.blacklist)),
        sheet=lambda wildcards, input: (flag("--sheet", input.sheet)),
    shell:
        "python {input.script:q} --store {input.store} --config {params.config:q} --sources {params.sources} "
        "{params.sheet} {params.blacklist} --windows {output.windows} --targets {output.targets} "
        "--target-table {output.target_table} --counts {output.counts} --log {log}"
