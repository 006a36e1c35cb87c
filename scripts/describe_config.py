"""Write config/README.md from the JSON Schemas."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.config_reference import write_reference


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--schemas", type=Path, default=Path(__file__).parents[1] / "workflow" / "schemas")
    arguments.add_argument("--output", type=Path, required=True, help="Markdown file to write")
    return arguments


if __name__ == "__main__":
    run(write_reference, parser())
