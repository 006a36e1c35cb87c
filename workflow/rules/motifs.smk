rule locate_motifs:
    """Say where discovered motifs lie: the sites that they were made from, and the places that read like them."""
    input:
        script=script("locate_motifs.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        attributions=rules.attribute.output.attributions,
        modisco=rules.discover_motifs.output.modisco,
        meme=rules.discover_motifs.output.meme,
        table=rules.discover_motifs.output.table,
    output:
        seqlets=f"{layout.EXPLANATION}/seqlets.bed",
        hits=f"{layout.EXPLANATION}/hits.bed",
        summary=f"{layout.EXPLANATION}/hits.tsv",
    log:
        "logs/{dataset}/{split}/{model}/seed{seed}/{method}/locate_motifs.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/seed{seed}/{method}/locate_motifs.jsonl"
    conda:
        "../../envs/interpret.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("locate_motifs.py"),
        config=lambda wildcards: canonical(
            interpretation(wildcards.dataset).get("hits") or {}
        ),
    shell:
        "NUMBA_NUM_THREADS={threads} python {input.script:q} --store {input.store:q} --windows {input.windows:q} "
        "--attributions {input.attributions:q} --modisco {input.modisco:q} --meme {input.meme:q} --table {input.table:q} "
        "--config {params.config:q} --seqlets {output.seqlets:q} --hits {output.hits:q} --summary {output.summary:q} --log {log:q}"
