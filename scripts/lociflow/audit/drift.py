"""Whether two sides of a split differ in composition by more than any two sets of places of one genome do.

Neighbouring windows are alike (isochores, genes), so that the usual test of the Kolmogorov-Smirnov distance, which
takes windows for independent, finds every split of every genome significant. Here whole blocks change sides.
"""

import numpy as np
from scipy.stats import ks_2samp

DRAWS = 200
LEVEL = 0.99
# Values are sorted into so many classes of equal size.
CLASSES = 64
# With more blocks than this windows are as good as independent, and the usual test is right.
MOST_BLOCKS = 5_000


def chance_distance(one: np.ndarray, other: np.ndarray, blocks: tuple[np.ndarray, np.ndarray], seed: int) -> float:
    """Return the KS distance that chance exceeds in one split of a hundred.

    Parameters
    ----------
    one, other
        Values of the windows on two sides.
    blocks
        The block of each window, whole numbers, for both sides; a block with windows on both counts as two.
    seed
        Of the draws.
    """
    units = [np.unique(part, return_inverse=True)[1] for part in blocks]
    counts = [int(part.max()) + 1 for part in units]
    if sum(counts) > MOST_BLOCKS:
        # Smirnov's limit for independent values.
        return float(np.sqrt(-np.log((1 - LEVEL) / 2) / 2 * (len(one) + len(other)) / (len(one) * len(other))))
    edges = np.unique(np.quantile(np.concatenate([one, other]), np.linspace(0, 1, CLASSES + 1)[1:-1]))
    table = np.zeros((sum(counts), len(edges) + 1))
    for values, unit, first in ((one, units[0], 0), (other, units[1], counts[0])):
        np.add.at(table, (unit + first, np.searchsorted(edges, values, side="right")), 1)
    generator = np.random.Generator(np.random.Philox(key=seed))
    total = table.sum(axis=0)
    found = []
    for _ in range(DRAWS):
        part = table[generator.permutation(len(table))[: counts[0]]].sum(axis=0)
        rest = total - part
        found.append(np.abs(np.cumsum(part) / part.sum() - np.cumsum(rest) / rest.sum()).max())
    return float(np.quantile(found, LEVEL))


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples."""
    return float(ks_2samp(one, other, method="asymp").statistic)
