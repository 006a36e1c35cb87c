"""Files that are mapped into memory."""

import mmap

import numpy as np


def let_go(array: np.ndarray) -> None:
    """Take the pages of a mapped file out of this process, which would else hold as much as it has ever looked at.

    Nothing is lost: what was written stays in the file, and what is read again is mapped again. An array that is no
    map of a file is left alone.
    """
    owner: object = array
    while isinstance(owner, np.ndarray):
        if isinstance(owner, np.memmap) and isinstance(owner.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            owner.base.madvise(mmap.MADV_DONTNEED)
        owner = owner.base
