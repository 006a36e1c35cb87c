"""A working folder with a whole run of the tiny data set, to be broken and mended."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
HOME = HERE.parents[1]
RUN = HERE / "config/run.yaml"

CONTIGS = {"chrA": 36000, "chrB": 12000, "chrC": 12000}
# What the two factors bind: the consensus of their matrices in JASPAR, MA0139 and MA0138.
WORDS = {"CTCF": "TGGCCACCAGGGGGCGCTA", "REST": "TTCAGCACCATGGACAGCGCC"}
SPACING = 400

# Seconds after which a step or a run is taken to hang.
PATIENCE = 3600


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a step: this Python first, one thread as in the rules."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", **more}


def write_data(folder: Path, seed: int = 1) -> None:
    """Write ``data/genome.fa`` and ``data/peaks.bed``: random letters with a factor's word every 400 bases."""
    draws = np.random.Generator(np.random.Philox(seed))
    data = folder / "data"
    data.mkdir(parents=True)
    genome, peaks = [], []
    for contig, length in CONTIGS.items():
        letters = draws.choice(list("ACGT"), length)
        for number, start in enumerate(range(100, length - 100, SPACING)):
            factor, word = list(WORDS.items())[number % len(WORDS)]
            at = start + int(draws.integers(0, 80))
            letters[at : at + len(word)] = list(word)
            middle = at + len(word) // 2
            peaks.append(f"{contig}\t{middle - 75}\t{middle + 75}\t{factor}\n")
        text = "".join(letters)
        genome.append(f">{contig}\n" + "".join(f"{text[low : low + 60]}\n" for low in range(0, length, 60)))
    (data / "genome.fa").write_text("".join(genome))
    (data / "peaks.bed").write_text("".join(peaks))


def snakemake_command(*arguments: str, configfile: Path = RUN) -> list[str]:
    """Return the command of a run of the tiny data set, all of it on one core."""
    return [
        # Targets come first: options that take a list would swallow them.
        *(sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(HOME / "Snakefile"), "--cores", "1"),
        *("--workflow-profile", str(HOME / "profiles/default"), "--configfile", str(configfile)),
        *("--config", f"config_dirs=[{HERE / 'config'}]"),
    ]


def snakemake(folder: Path, *arguments: str, configfile: Path = RUN) -> subprocess.CompletedProcess[str]:
    """Run snakemake in a folder to its end."""
    return subprocess.run(
        snakemake_command(*arguments, configfile=configfile),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
