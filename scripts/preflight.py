"""Look at what a run needs before its first step."""

import argparse

from lociflow.command import json_argument, run
from lociflow.preflight.preflight import preflight


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--run", type=json_argument, required=True, help="configuration of the run (JSON)")
    arguments.add_argument("--conda", action="store_true", help="steps have environments of their own")
    return arguments


if __name__ == "__main__":
    run(preflight, parser())
