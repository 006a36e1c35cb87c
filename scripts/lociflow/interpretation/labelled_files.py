"""Files that a command line gives a label each."""

import argparse
from pathlib import Path


def labelled_argument(text: str) -> tuple[str, Path]:
    """Read a command-line argument ``LABEL=FILE``."""
    label, _, path = text.partition("=")
    if not label or not path:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected LABEL=FILE")
    return label, Path(path)
