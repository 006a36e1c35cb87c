"""What a finished run leaves for those who want to check it or to make it again."""

import snakemake

from lociflow.report.provenance import VARIABLE as VERSIONS
from lociflow.report.provenance import pinned

# The environment of a step has neither Snakemake nor, with conda, the packages of the other steps.
os.environ[VERSIONS] = json.dumps(
    {
        **(pinned(HOME / "envs") if STEPS_HAVE_CONDA else {}),
        "snakemake": snakemake.__version__,
    }
)


rule record_provenance:
    """Write down the whole run as a Workflow Run RO-Crate, with the configuration that makes it again."""
    input:
        script=script("record_provenance.py"),
        manifest=rules.write_manifest.output.manifest,
        page=rules.report.output.page,
        scores=rules.compare.output.scores,
        tables=[*PLAN.ledger_files(), *PLAN.experiment_files()],
        effects=PLAN.effect_files(),
        tracks=track_requests.files(PLAN),
        exports=PLAN.export_folders(),
        records=lambda wildcards: other_records(),
    output:
        crate=layout.CRATE,
        workflow=f"{layout.RUN}/Snakefile",
        configuration=directory(f"{layout.RUN}/configuration"),
    log:
        "logs/runs/{run}/record_provenance.log",
    benchmark:
        "benchmarks/runs/{run}/record_provenance.jsonl"
    conda:
        "../../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(120),
        gpu=0,
    params:
        code=code("record_provenance.py"),
        records=lambda wildcards, input: flags("--records", input.records),
        config_dirs=lambda wildcards: flags(
            "--config-dirs", RUN.get("config_dirs") or []
        ),
    shell:
        "python {input.script:q} --manifest {input.manifest:q} {params.records} {params.config_dirs} "
        "--crate {output.crate:q} --workflow {output.workflow:q} --configuration {output.configuration:q} --log {log:q}"
