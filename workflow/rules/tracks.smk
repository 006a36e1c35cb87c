wildcard_constraints:
    regions=one_of((RUN.get("tracks") or {"regions": {}})["regions"]),


rule predict_tracks:
    """Predict tiles along the genome with the mean over a model's seeds."""
    input:
        script=script("predict_tracks.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        checkpoints=checkpoints_of_seeds,
        regions=regions_file,
        aliases=lambda wildcards: beside(
            wildcards.dataset, dataset(wildcards.dataset).get("contig_aliases")
        ),
    output:
        bigwigs=directory(f"{layout.TRACKS}/predictions"),
        table=f"{layout.TRACKS}/{{regions}}.tsv.gz",
        index=f"{layout.TRACKS}/{{regions}}.tsv.gz.csi",
        about=f"{layout.TRACKS}/tracks.json",
    log:
        "logs/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/predict_tracks.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/predict_tracks.jsonl"
    conda:
        "../../envs/tracks.yaml"
    threads: 1
    resources:
        mem_mb=grows(6000),
        runtime=grows(720),
        gpu=gpus(),
    params:
        code=lambda wildcards: code(
            "predict_tracks.py",
            training_of_seeds(wildcards),
        ),
        config=lambda wildcards: canonical(track_config(wildcards)),
        regions=lambda wildcards, input: flags("--regions", input.regions),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --checkpoints {input.checkpoints:q} "
        "{params.regions} --config {params.config:q} --bigwigs {output.bigwigs:q} --table {output.table:q} "
        "--index {output.index:q} --about {output.about:q} --device $([ {resources.gpu} = 0 ] && echo cpu || echo cuda) --log {log:q}"


rule attribution_tracks:
    """Lay what each base contributes along the genome, the mean over the explained windows that hold it."""
    input:
        script=script("attribution_tracks.py"),
        codes=store_of("codes.npy"),
        store=store_of("store.json"),
        windows=rules.make_windows.output.windows,
        attributions=lambda wildcards: PLAN.explanation_files(
            wildcards.dataset, [wildcards.model], "attributions.npz"
        ),
    output:
        bigwigs=directory(f"{layout.TRACKS}/attributions"),
        about=f"{layout.TRACKS}/attributions.json",
    log:
        "logs/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/attribution_tracks.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/attribution_tracks.jsonl"
    conda:
        "../../envs/tracks.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("attribution_tracks.py"),
    shell:
        "python {input.script:q} --store {input.store:q} --windows {input.windows:q} --split {wildcards.split:q} "
        "--attributions {input.attributions:q} --bigwigs {output.bigwigs:q} --about {output.about:q} --log {log:q}"


rule write_split_track:
    """Write which bins are for training, for validation and for testing, as a track."""
    input:
        script=script("write_split_track.py"),
        windows=rules.make_windows.output.windows,
    output:
        bed=f"{layout.TRACKS}/split.bed",
    log:
        "logs/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/write_split_track.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/write_split_track.jsonl"
    conda:
        "../../envs/tracks.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("write_split_track.py"),
    shell:
        "python {input.script:q} --windows {input.windows:q} --split {wildcards.split:q} --bed {output.bed:q} --log {log:q}"


rule write_genome:
    """Write a genome as indexed FASTA under the names that the tracks use."""
    input:
        script=script("write_genome.py"),
        codes=rules.encode_sequences.output.codes,
        store=rules.encode_sequences.output.store,
    output:
        fasta=f"{layout.GENOME}/genome.fa.gz",
        fai=f"{layout.GENOME}/genome.fa.gz.fai",
        gzi=f"{layout.GENOME}/genome.fa.gz.gzi",
    log:
        "logs/write_genome/{genome}.log",
    benchmark:
        "benchmarks/write_genome/{genome}.jsonl"
    conda:
        "../../envs/tracks.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(60),
        gpu=0,
    params:
        code=code("write_genome.py"),
    shell:
        "python {input.script:q} --store {input.store:q} --fasta {output.fasta:q} --fai {output.fai:q} --gzi {output.gzi:q} "
        "--log {log:q}"


rule browse_tracks:
    """Write what shows tracks in a genome browser: a session of IGV and a hub of UCSC."""
    input:
        script=script("browse_tracks.py"),
        predictions=rules.predict_tracks.output.bigwigs,
        about=rules.predict_tracks.output.about,
        attributions=contributions("attributions"),
        about_attributions=contributions("attributions.json"),
        split=rules.write_split_track.output.bed,
        fasta=store_of("genome.fa.gz"),
        observed=lambda wildcards: paths(files_of(wildcards.dataset)["targets"]),
    output:
        session=f"{layout.TRACKS}/igv_session.xml",
        hub=f"{layout.TRACKS}/hub.txt",
    log:
        "logs/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/browse_tracks.log",
    benchmark:
        "benchmarks/{dataset}/{split}/{model}/tracks/{regions}/seeds-{seeds}/browse_tracks.jsonl"
    conda:
        "../../envs/tracks.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
        gpu=0,
    params:
        code=code("browse_tracks.py"),
        attributions=lambda wildcards, input: flags(
            "--attributions", input.attributions
        ),
        about_attributions=lambda wildcards, input: flags(
            "--about-attributions", input.about_attributions
        ),
        observed=lambda wildcards: canonical(
            track_requests.observed(files_of(wildcards.dataset)["targets"])
        ),
        email=lambda wildcards: flags(
            "--email", [RUN["tracks"]["email"]] if RUN["tracks"].get("email") else []
        ),
    shell:
        "python {input.script:q} --predictions {input.predictions:q} --about {input.about:q} {params.attributions} "
        "{params.about_attributions} --split {input.split:q} --fasta {input.fasta:q} --observed {params.observed:q} "
        "{params.email} --session {output.session:q} --hub {output.hub:q} --log {log:q}"
