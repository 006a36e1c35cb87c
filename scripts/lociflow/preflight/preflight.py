"""What a run needs, looked at before its first step: tools, sources, columns and names, models, disk, memory, device.

It takes seconds, and one or two more for each large model: nothing is downloaded, of files that are here only the first
lines are read, and what cannot be seen yet is said to be so.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from lociflow import variant_effects
from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.genome.contig_names import read_aliases
from lociflow.layout import SOURCE
from lociflow.listed_gpus import listed_gpus
from lociflow.masking import masked
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.preflight.needs import Needs, check_disk, check_memory, needs_of
from lociflow.preflight.sources import check_sources, local_file
from lociflow.run import check_run
from lociflow.run_sources import every_source
from lociflow.sources import dataset_files
from lociflow.trainings import all_trainings

HOME = Path(__file__).resolve().parents[3]
BEDTOOLS = (2, 30)
PROGRAM_SECONDS = 10.0


def preflight(run: Mapping[str, Any], conda: bool = False) -> None:
    """Print a table of what was looked at, and stop where the run could not end well.

    Parameters
    ----------
    run
        The configuration of the run.
    conda
        Whether steps run in environments of their own: their programs are not looked for.

    Raises
    ------
    UserError
        Something is wrong; the sentences stand in the table.
    """
    groups = Configuration(HOME / "config", HOME / "workflow" / "schemas", map(Path, run.get("config_dirs") or []))
    check_run(run, groups)
    variant_effects.check(run, groups)
    findings = look(run, groups, conda)
    print(table(findings), file=sys.stderr)
    wrong = [finding for finding in findings if finding.verdict == ERROR]
    if wrong:
        raise UserError(f"preflight: {len(wrong)} of {len(findings)} checks failed; the first: {wrong[0].told}")


def look(
    run: Mapping[str, Any],
    groups: Configuration,
    conda: bool = False,
    trained: Collection[tuple[str, str]] | None = None,
) -> list[Finding]:
    """Return everything that is found, the errors among it.

    Parameters
    ----------
    run, conda
        As in :func:`preflight`.
    groups
        Where data sets, models and the other groups are defined.
    trained
        Data set and label of the trainings whose models are tried; None: all of the run.
    """
    files = every_source(run, groups, run["datasets"])
    # As scripts/fetch.py will.
    mirror = run.get("mirror") or os.environ.get("LOCIFLOW_MIRROR")
    findings = [] if conda else [check_bedtools()]
    findings.append(check_device())
    reached = check_sources(files, mirror)
    findings += reached.findings
    needs = Needs()
    for name in run["datasets"]:
        config = groups.dataset(name)
        whole = {**config, **dataset_files(config, groups)}
        if name in variant_effects.datasets(run):
            whole["variants"] = [*whole["variants"], *variant_effects.file_sources(run).values()]
        here = {
            source["file"]: path
            for source in files.values()
            if (path := local_file(source, Path(SOURCE.format(file=source["file"])), mirror)) is not None
        }
        findings += check_contents(whole, here, aliases_of(groups, config))
        needs += needs_of(whole, here, reached.sizes, len(run["models"]) * len(run["seeds"]))
    findings += check_models(run, groups, list(all_trainings(run, groups)) if trained is None else trained, conda)
    return [*findings, check_disk(needs, Path()), check_memory(needs)]


def check_models(
    run: Mapping[str, Any], groups: Configuration, trained: Collection[tuple[str, str]], conda: bool
) -> list[Finding]:
    """Try the models of some trainings; parameters and findings are those of :mod:`lociflow.preflight.models`."""
    if not trained:
        return []
    try:
        # Torch takes seconds to load, and may be only where the models are trained.
        from lociflow.preflight import models
    except ModuleNotFoundError as error:
        told = f"not tried, there is no module {error.name} here; snakemake preflight tries them where there is"
        return [Finding("models", WARN, told)]
    return models.check_models(run, groups, trained, conda)


def check_contents(
    config: Mapping[str, Any], here: Mapping[str, Path], aliases: Mapping[str, str | None]
) -> list[Finding]:
    """Hold a data set's settings and the files that are here against what its steps take.

    Parameters and findings are those of :func:`lociflow.preflight.contents.check_dataset_files`.
    """
    try:
        # It brings the libraries of all readers, for which a Snakefile that is only read should not wait, and which
        # are not here where every step has an environment of its own.
        from lociflow.preflight.contents import check_dataset_files, check_settings
    except ModuleNotFoundError as error:
        told = f"not looked into, there is no module {error.name} here; install the requirements of lociflow"
        return [Finding(f"dataset {config['name']}", WARN, told)]
    return [*check_settings(config), *check_dataset_files(config, here, aliases)]


def aliases_of(groups: Configuration, config: Mapping[str, Any]) -> Mapping[str, str | None]:
    """Return the names that a data set gives contigs besides the genome's own."""
    aliases = config.get("contig_aliases")
    return read_aliases(str(groups.beside(config["name"], aliases)) if isinstance(aliases, str) else aliases)


def check_bedtools() -> Finding:
    """Look for the one program that is no Python package."""
    remedy = "install it with apt-get install bedtools, conda install -c bioconda bedtools or brew install bedtools"
    if not shutil.which("bedtools"):
        return Finding(
            "bedtools", ERROR, f"bedtools: no such program on PATH, expected version 2.30 or later; {remedy}"
        )
    try:
        answer = subprocess.run(["bedtools", "--version"], capture_output=True, text=True, timeout=PROGRAM_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("bedtools", ERROR, f"bedtools --version: does not answer ({error}); {remedy}")
    version = re.search(r"(\d+)\.(\d+)", answer.stdout)
    if version is None or tuple(map(int, version.groups())) < BEDTOOLS:
        found = answer.stdout.strip() or "nothing"
        return Finding("bedtools", ERROR, f"bedtools --version: found {found}, expected 2.30 or later; {remedy}")
    return Finding("bedtools", OK, answer.stdout.strip())


def check_device() -> Finding:
    """Say on what the models will train."""
    if not shutil.which("nvidia-smi"):
        return Finding("device", OK, "CPU (no nvidia-smi on PATH)")
    gpus = listed_gpus()
    if not gpus:
        return Finding("device", WARN, "nvidia-smi is here but names no GPU; check its driver, or train on the CPU")
    return Finding("device", OK, "; ".join(gpus))


def table(findings: list[Finding]) -> str:
    """Lay the findings out in columns, the errors last, where a reader's eye is."""
    return masked("\n".join(_lines(sorted(findings, key=lambda finding: (OK, WARN, ERROR).index(finding.verdict)))))


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max((len(finding.what) for finding in findings), default=0)
    for what, verdict, told in findings:
        yield f"{verdict:5}  {what:{width}}  {told}"
