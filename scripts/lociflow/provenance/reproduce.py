"""Make a recorded run again in a folder of its own, and say what came out the same."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lociflow import layout
from lociflow.command import UserError, status
from lociflow.file_digest import sha256_of
from lociflow.masking import MASK
from lociflow.provenance.compare import as_table, compare, is_reproduced
from lociflow.provenance.configuration import RUN_FILE
from lociflow.provenance.read import CrateSource, ReadCrate, read_crate
from lociflow.provenance.record import code_digest
from lociflow.report.provenance import LOCIFLOW, commit

MIRROR = "LOCIFLOW_MIRROR"


def reproduce(run: Path, out: Path | None, against: Path | None, cores: str, snakemake: Sequence[str]) -> None:
    """Make a run again from its crate and compare, or compare with one that has been made again already.

    Parameters
    ----------
    run
        ``results/runs/NAME``, or a copy of that folder anywhere.
    out
        Folder to work in; by default ``reproduced/NAME``. What a call before has left there is used.
    against
        A run made again before, as ``run``; nothing is run then.
    cores
        As snakemake takes them.
    snakemake
        Further arguments for snakemake.

    Raises
    ------
    UserError
        The crate or its configuration is not what it should be, a source cannot be had, or snakemake fails.
    SystemExit
        1: something differs or is missing.
    """
    before = read_crate(run)
    tell_code(before)
    folder = against or make_again(before, out or Path("reproduced", before.run), cores, snakemake)
    parts = compare(before, read_crate(folder))
    print(as_table(parts))
    if not is_reproduced(parts):
        raise SystemExit(1)


def tell_code(before: ReadCrate) -> None:
    """Say which commit made the run, and warn where this checkout is another or differs."""
    here = commit() or "unknown"
    status(f"run {before.run}: recorded at commit {before.commit}; this checkout is at {here}")
    if code_digest(LOCIFLOW) != before.code:
        status(
            f"warning: this checkout's files are not those that made the run; `git checkout "
            f"{before.commit.removesuffix('-dirty')}` first, or results may differ for that reason alone"
        )


def make_again(before: ReadCrate, out: Path, cores: str, snakemake: Sequence[str]) -> Path:
    """Run the workflow with the recorded configuration in a folder of its own, and return the new run's folder."""
    made = out / layout.RUN.format(run=before.run)
    if made.resolve() == before.folder.resolve():
        raise UserError(f"{out}: is the folder of the recorded run; name another with OUT= (--out)")
    check_files(before)
    configuration = out / before.configuration.name
    shutil.rmtree(configuration, ignore_errors=True)
    shutil.copytree(before.configuration, configuration)
    for source in before.sources.values():
        if source.via == "path":
            link_path(source, before, out)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(LOCIFLOW / "Snakefile")),
            *("--directory", str(out), "--configfile", str((configuration / RUN_FILE).resolve())),
            *("--cores", cores, *snakemake),
        ],
        env={**os.environ, **mirror_of(before)},
        check=False,
    )
    if done.returncode:
        raise UserError(f"{out}: snakemake ended with status {done.returncode}, as told above; mend it and run again")
    return made


def check_files(before: ReadCrate) -> None:
    """Hold the files of the recorded configuration to the crate.

    Raises
    ------
    UserError
        One is missing or has changed.
    """
    place = before.configuration.relative_to(before.folder)
    for name, file in before.files.items():
        path = before.folder / name
        if Path(name).is_relative_to(place) and (not path.is_file() or sha256_of(path) != file.sha256):
            raise UserError(
                f"{path}: found {'another file' if path.is_file() else 'nothing'}, expected sha256 {file.sha256} as in "
                "the crate; copy the whole folder of the run"
            )


def mirror_of(before: ReadCrate) -> dict[str, str]:
    """Return the environment that names the mirror of the recorded run, unless the user names one.

    Raises
    ------
    UserError
        An address held a password or a token, which no crate records, and no mirror is named.
    """
    if os.environ.get(MIRROR):
        return {}
    for source in before.sources.values():
        if any(MASK in place for place in source.places):
            raise UserError(
                f"{source.file}: its address {source.places[0]} held a password or a token, which is not recorded; "
                f"name a mirror that holds the file with {MIRROR}="
            )
    bases = {
        source.places[0].removesuffix(f"/{source.file}")
        for source in before.sources.values()
        if source.via == "mirror" and source.places[0].endswith(f"/{source.file}")
    }
    origin = before.folder.parents[2] if len(before.folder.parents) > 2 else before.folder
    found = [base if "://" in base else str(origin / base) for base in sorted(bases)]
    there = [base for base in found if "://" in base or Path(base).is_dir()]
    if there:
        status(f"sources come from the mirror {there[0]}, as they did")
    return {MIRROR: there[0]} if there else {}


def link_path(source: CrateSource, before: ReadCrate, out: Path) -> None:
    """Put a local source where the recorded configuration looks for it: relative paths start from the new folder.

    The file is looked for where it was, below the present folder, and among the sources of the recorded run.

    Raises
    ------
    UserError
        It is nowhere.
    """
    place = Path(source.places[0])
    if place.is_absolute():
        return
    if ".." in place.parts:
        raise UserError(f"{place}: leads out of the folder of the run; put the file at {out / place} and run again")
    origin = before.folder.resolve().parents[2]
    known = [origin / place, Path(place), origin / layout.SOURCE.format(file=source.file)]
    found = [path for path in known if path.is_file()]
    right = [path for path in found if sha256_of(path) == source.sha256]
    if not found:
        raise UserError(
            f"{place}: there is no such file in {origin} or here, expected the source {source.file} with sha256 "
            f"{source.sha256}; put it at {Path(place).resolve()} and run again"
        )
    target = out / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to((right or found)[0].resolve())
