"""Planning a grid of 20 data sets, 20 models and 5 seeds against a bare Snakefile with as many jobs.

The bare Snakefile has three rules in a row, with an input, an output and a command each, and no configuration. What
Snakemake needs for a job of lociflow's, with its logs, resources, parameters and checks, stands beside it.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import measure
import yaml

DATASETS, SEEDS, REPEATS = 20, 5, 3
MODELS = (
    "attention_pooling_small", "basset_small", "beluga_small", "bigru_small", "bilstm_small", "binding_cnn_small",
    "biren_small", "danq_small", "deepbind_small", "deeperbind_small", "deepsea_small", "equivariant_cnn_small",
    "hyena_small", "perceptron", "pwm_scanner", "resnet_small", "satori_small", "transformer_kmers_small",
    "transformer_nucleotides_small", "zeng_small",
)  # fmt: skip
BARE = """
rule all:
    input: expand("c/{number}", number=range(%d))
"""
STEP = """
rule %(name)s:
    input: %(source)s
    output: "%(name)s/{number}"
    shell: "cp {input} {output}"
"""


def grid(folder: Path) -> list[str]:
    """Write the configuration of the grid and return how it is planned."""
    datasets = folder / "own" / "dataset"
    datasets.mkdir(parents=True)
    names = [f"simulated{number}" for number in range(DATASETS)]
    for name in names:
        shutil.copy(measure.HOME / "config" / "dataset" / "simulated.yaml", datasets / f"{name}.yaml")
    run = {
        "run": "grid", "config_dirs": ["own"], "datasets": names, "models": list(MODELS),
        "seeds": list(range(1, SEEDS + 1)),
    }  # fmt: skip
    (folder / "grid.yaml").write_text(yaml.safe_dump(run))
    return ["--snakefile", str(measure.HOME / "Snakefile"), "--configfile", "grid.yaml"]


def bare(folder: Path, jobs: int) -> list[str]:
    """Write a Snakefile of so many jobs and return how it is planned."""
    (folder / "source").touch()
    steps = [STEP % {"name": name, "source": f'"{source}"'} for source, name in (
        ("source", "a"), ("a/{number}", "b"), ("b/{number}", "c"),
    )]  # fmt: skip
    (folder / "Snakefile").write_text(BARE % ((jobs - 1) // 3) + "".join(steps))
    return ["--snakefile", "Snakefile"]


def plan(folder: Path, arguments: list[str]) -> tuple[int, float, float]:
    """Plan once; return how many jobs there are, the seconds and the peak of anonymous memory in MB."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--quiet", "rules", *arguments]
    said, seconds, peaks = measure.watch(command, 1, folder)
    found = re.search(r"^total +(\d+)", said, flags=re.MULTILINE)
    if not found:
        raise SystemExit(f"error: found no table of jobs in {said[-300:]!r}")
    return int(found[1]), seconds, peaks["anonymous_mb"]


def benchmark() -> None:
    with tempfile.TemporaryDirectory() as name:
        whole, few = Path(name, "grid"), Path(name, "bare")
        whole.mkdir()
        few.mkdir()
        asked = grid(whole)
        jobs, *_ = plan(whole, asked)
        own = bare(few, jobs)
        # In turn, so that a machine that slows down slows both.
        tries = [(plan(whole, asked), plan(few, own)) for _ in range(REPEATS)]
    (_, seconds, memory), (bare_jobs, bare_seconds, bare_memory) = (
        min(found, key=lambda measured: measured[1]) for found in zip(*tries, strict=True)
    )
    measure.row(
        "planning",
        jobs=jobs,
        seconds=round(seconds, 1),
        mb=memory,
        bare_jobs=bare_jobs,
        bare_seconds=round(bare_seconds, 1),
        bare_mb=bare_memory,
        ratio=round(seconds / bare_seconds, 2),
    )


if __name__ == "__main__":
    measure.main(benchmark, globals())
