"""The kinds of labels that a data set can have, and how each says that a label is missing."""

from typing import Any, NamedTuple

import numpy as np

from lociflow.command import UserError


class LabelKind(NamedTuple):
    """How labels of one kind lie in ``targets.npy``."""

    name: str
    dtype: np.dtype
    missing: float
    """What stands for a label that is unknown or ambiguous: it enters neither a loss nor a score."""
    positional: bool
    """Whether there is a label for every base of the bin: shape (bins, positions, targets), else (bins, targets)."""


KINDS = {
    kind.name: kind
    for kind in (
        LabelKind("binary", np.dtype(np.int8), -1, False),
        LabelKind("class", np.dtype(np.int16), -1, False),
        LabelKind("real", np.dtype(np.float32), np.nan, False),
        LabelKind("position_class", np.dtype(np.int8), -1, True),
        LabelKind("profile", np.dtype(np.float32), np.nan, True),
    )
}


def label_kind(name: Any) -> LabelKind:
    """Return the kind of a name.

    Raises
    ------
    UserError
        There is no such kind.
    """
    if name not in KINDS:
        raise UserError(f"labels.kind: found {name!r}, expected one of {', '.join(KINDS)}")
    return KINDS[name]


def known(labels: np.ndarray, kind: LabelKind) -> np.ndarray:
    """Tell which labels are known: ``bool``, the shape of ``labels``."""
    found: np.ndarray = ~np.isnan(labels) if np.isnan(kind.missing) else labels != kind.missing
    return found
