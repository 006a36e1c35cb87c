"""Components of a graph by union–find; a component's name is its smallest member."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _root(parent: np.ndarray, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@njit(cache=True, nogil=True)
def join(parent: np.ndarray, one: np.ndarray, other: np.ndarray) -> None:
    """Put the components of each pair together; a component's root is its smallest row (union–find)."""
    for pair in range(len(one)):
        a, b = _root(parent, one[pair]), _root(parent, other[pair])
        if a < b:
            parent[b] = a
        else:
            parent[a] = b


@njit(cache=True, nogil=True)
def flatten(parent: np.ndarray) -> None:
    """Let every row's parent be its root."""
    for row in range(len(parent)):
        parent[row] = _root(parent, row)
