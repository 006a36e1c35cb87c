rule encode_sequences:
    """Turn a genome, or labelled sequences, into integer codes that every model reads from one memory map."""
    input:
        script=script("encode_sequences.py"),
        fasta=lambda wildcards: encoded_files(wildcards.genome),
    output:
        codes=f"{layout.GENOME}/codes.npy",
        store=f"{layout.GENOME}/store.json",
    log:
        "logs/encode/{genome}.log",
    benchmark:
        "benchmarks/encode/{genome}.jsonl"
    conda:
        "../../envs/genome.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("encode_sequences.py"),
        sources=layout.SOURCE.format(file=""),
        config=lambda wildcards: store_config(wildcards.genome),
    shell:
        "python {input.script:q} --fasta {input.fasta:q} --sources {params.sources:q} --config {params.config:q} "
        "--codes {output.codes:q} --store {output.store:q} --log {log:q}"
