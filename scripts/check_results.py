"""Hold every file of this folder's runs to the checksum that was noted when it was made; read-only."""

import argparse
from pathlib import Path

from lociflow.checksums import damage, noted_files
from lociflow.command import UserError, run, status


def check_results(below: Path) -> None:
    """Name every file below a path that is not what the step that made it wrote, and those that are no longer there."""
    known = [path for path in noted_files() if path.is_relative_to(below)]
    files = [path for path in known if path.is_file()]
    for path in sorted(set(known) - set(files)):
        status(f"{path}: is no longer there; if you miss it, run snakemake with its name as a target")
    damaged = [told for path in files if (told := damage(path))]
    for told in damaged:
        status(told)
    if damaged:
        raise UserError(
            f"{below}: found {len(damaged)} of {len(files)} files damaged or replaced, as told above; "
            "remove them and run snakemake with their names as targets"
        )
    gone = f"; {len(known) - len(files)} are no longer there" if len(known) > len(files) else ""
    status(f"{len(files)} files are what the steps that made them wrote{gone}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--below", type=Path, default=Path(), help="folder or file to check (default: all)")
    run(check_results, parser)
