rule fetch:
    """Fetch a source from upstream, a mirror or a local path, and hold it to its digest."""
    input:
        script=script("fetch.py"),
        local=lambda wildcards: SOURCES[wildcards.file]["path"] or [],
    output:
        file=layout.SOURCE,
        record=layout.SOURCE_RECORD,
    log:
        "logs/fetch/{file}.log",
    benchmark:
        "benchmarks/fetch/{file}.jsonl"
    conda:
        "../../envs/fetch.yaml"
    threads: 1
    resources:
        mem_mb=grows(500),
        runtime=grows(240),
        gpu=0,
    params:
        code=code("fetch.py"),
        source=lambda wildcards: canonical(SOURCES[wildcards.file]),
    shell:
        "python {input.script:q} --source {params.source:q} --output {output.file:q} --record {output.record:q} --log {log:q}"


rule simulate:
    """Make a genome with planted motifs, and the peaks that an experiment would call from it."""
    input:
        script=script("simulate.py"),
    output:
        genome=layout.SOURCE.format(file=f"{layout.SIMULATED}/genome.fa"),
        peaks=layout.SOURCE.format(file=f"{layout.SIMULATED}/peaks.bed"),
        sites=layout.SOURCE.format(file=f"{layout.SIMULATED}/sites.tsv"),
    log:
        "logs/{dataset}/simulate.log",
    benchmark:
        "benchmarks/{dataset}/simulate.jsonl"
    conda:
        "../../envs/simulate.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("simulate.py"),
        config=lambda wildcards: canonical(dataset(wildcards.dataset)["simulation"]),
    shell:
        "python {input.script:q} --config {params.config:q} --genome {output.genome:q} --peaks {output.peaks:q} "
        "--sites {output.sites:q} --log {log:q}"
