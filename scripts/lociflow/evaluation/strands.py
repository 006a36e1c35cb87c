"""The strands that have predictions of their own, where the bins of a data set have a strand."""

from collections.abc import Mapping, Sequence

# What each strand is called in names, and whether it is the reverse one.
STRANDS = {"plus": False, "minus": True}


def strands_apart(stranded: object) -> Mapping[str, bool]:
    """Return the strands that are told apart: both by their names, or one without a name where bins have no strand.

    Parameters
    ----------
    stranded
        Whether the bins of the data set have a strand, as ``windows.parquet`` and checkpoints say it.
    """
    return STRANDS if stranded else {"": False}


def names_by_strand(names: Sequence[str], strands: Mapping[str, bool]) -> list[str]:
    """Return the names of all strands, those of the first first: ``NAME:plus``, or ``NAME`` of an unnamed one."""
    return [f"{name}:{strand}" if strand else name for strand in strands for name in names]
