"""Filters of a first convolution that are the motifs of a MEME file."""

import re
from collections.abc import Sequence
from itertools import dropwhile, takewhile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lociflow.command import UserError
from lociflow.models.motif_filters import laid_in, log_odds

MATRIX = "letter-probability matrix:"
# What MEME's format takes the number of sites for where a file does not tell it.
SITES = 20.0
# Rows of published files are rounded; CIS-BP's are off by up to 2 %.
TOLERANCE = 0.05


def meme_filters(path: str, length: int) -> Tensor:
    """Return the motifs of a file in MEME's minimal format as log-odds matrices, in the file's order.

    Probabilities are taken as they are written, times the motif's number of sites (``nsites``, 20 where the file has
    none) to be weighed against the pseudocount.

    Parameters
    ----------
    path
        The file.
    length
        Bases per filter; see :func:`~lociflow.models.motif_filters.laid_in`.

    Returns
    -------
    torch.Tensor
        float32, shape ``(motifs, 4, length)``: log2 of each base's probability over 1/4, and 0 beside the motif.

    Raises
    ------
    UserError
        The file cannot be read as one of motifs.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); expected a motif file in MEME format") from None
    headers = [number for number, line in enumerate(lines) if line.startswith(MATRIX)]
    if not headers:
        raise UserError(f"{path}: found no motif, expected some in MEME format")
    counts = [_sites(lines[number]) * _probabilities(path, lines, number + 1) for number in headers]
    return torch.from_numpy(np.stack([laid_in(log_odds(one), length) for one in counts])).float()


def _sites(header: str) -> float:
    told = re.search(r"nsites=\s*([0-9.]+)", header)
    return (float(told[1]) if told else 0.0) or SITES


def _probabilities(path: str, lines: Sequence[str], first: int) -> np.ndarray:
    """Read the rows of numbers from a line on: ``(4, width)``, columns divided by their sums."""
    below = dropwhile(lambda line: not line.strip(), lines[first:])
    rows = list(takewhile(lambda line: re.match(r"\s*-?[0-9.]", line), below))
    try:
        matrix = np.array([[float(word) for word in row.split()] for row in rows])
    except ValueError:
        matrix = np.zeros(0)
    if matrix.ndim != 2 or matrix.shape[1] != 4 or matrix.min() < 0 or (abs(matrix.sum(axis=1) - 1) > TOLERANCE).any():
        raise UserError(
            f"{path}, line {first}: found no rows of four probabilities, expected those of A, C, G and T with a sum of "
            "1, as in MEME format"
        )
    return matrix.T / matrix.sum(axis=1)
