"""Write the conda environments of the steps, and the table of their packages, from the lock and the imports."""

import argparse
from pathlib import Path

from lociflow.command import run
from lociflow.environments import pin_environments

HOME = Path(__file__).parents[1]


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--home", type=Path, default=HOME, help="folder of the checkout")
    arguments.add_argument(
        "--output", type=Path, default=HOME / "envs", help="folder of the environments and their table"
    )
    return arguments


if __name__ == "__main__":
    run(pin_environments, parser())
