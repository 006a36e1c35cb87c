"""Compile what numba compiles for the interpretation steps, once, so that no run waits for it."""

import argparse

from lociflow.command import run
from lociflow.interpretation.warm import warm_caches


def parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(description=__doc__)


if __name__ == "__main__":
    run(warm_caches, parser())
