rule preflight:
    """Look at what the run needs and try its models, without starting it."""
    input:
        script=script("preflight.py"),
    log:
        "logs/preflight.log",
    conda:
        "../../envs/preflight.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
        gpu=0,
    params:
        run=canonical(without_secrets(RUN)),
        conda="--conda" if STEPS_HAVE_CONDA else "",
    shell:
        "python {input.script:q} --run {params.run:q} {params.conda} --log {log:q}"
