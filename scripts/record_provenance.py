"""Write down a finished run as a Workflow Run RO-Crate, with the configuration that makes it again."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.provenance.record import record
from lociflow.report.manifest import manifest_argument


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    arguments.add_argument("--records", type=Path, nargs="*", default=[], help="records of sources of no data set")
    arguments.add_argument("--config-dirs", type=Path, nargs="*", default=[], help="the user's own configuration")
    arguments.add_argument("--crate", type=Path, required=True, help="ro-crate-metadata.json to write")
    arguments.add_argument("--workflow", type=Path, required=True, help="copy of the Snakefile to write")
    arguments.add_argument("--configuration", type=Path, required=True, help="folder to write")
    return arguments


if __name__ == "__main__":
    run(record, parser())
