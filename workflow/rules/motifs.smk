rule locate_seqlets:
    """Say where on the genome the sites lie from which each discovered motif was made."""
    input:
        script=script("locate_seqlets.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        modisco=rules.discover_motifs.output.modisco,
    output:
        bed=f"{layout.EXPLANATION}/seqlets.bed",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/locate_seqlets.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/locate_seqlets.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
        gpu=0,
    params:
        code=code("locate_seqlets.py"),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --modisco {input.modisco:q} "
        "--bed {output.bed:q} --log {log:q}"


rule scan_hits:
    """Find the places that read like a discovered motif, and say which of them the model uses."""
    input:
        script=script("scan_hits.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        attributions=rules.attribute.output.attributions,
        meme=rules.discover_motifs.output.meme,
        table=rules.discover_motifs.output.table,
    output:
        bed=f"{layout.EXPLANATION}/hits.bed",
        summary=f"{layout.EXPLANATION}/hits.tsv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/scan_hits.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/scan_hits.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("scan_hits.py"),
        config=lambda wildcards: canonical(
            interpretation(wildcards.dataset).get("hits") or {}
        ),
    shell:
        "NUMBA_NUM_THREADS={threads} python {input.script:q} --store {input.store:q} --windows {input.windows:q} "
        "--attributions {input.attributions:q} --meme {input.meme:q} --table {input.table:q} --config {params.config:q} "
        "--bed {output.bed:q} --summary {output.summary:q} --log {log:q}"
