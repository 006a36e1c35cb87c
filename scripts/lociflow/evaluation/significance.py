"""Whether a difference between two scores is more than chance, by bootstrap draws and over many comparisons."""

import math

import numpy as np
from scipy.stats import false_discovery_control

SIGNIFICANT = 0.05  # q-value, Benjamini-Hochberg
# With fewer the seeds' agreement says little: two agree by chance every second time.
ENOUGH_SEEDS = 3
MOST_DRAWS = 10_000


def least_draws(tests: int) -> int:
    """Return the draws with which the smallest p-value that they allow still has a q-value of :data:`SIGNIFICANT`.

    With fewer a single comparison among so many could never be told from the others, however clear its difference. They
    are :data:`MOST_DRAWS` at the most: among more than 250 comparisons several have to be clear together.
    """
    return min(math.ceil(2 * tests / SIGNIFICANT), MOST_DRAWS)


def two_sided(draws: np.ndarray) -> float:
    """Return the two-sided p-value of the bootstrap draws of a difference: whether 0 lies among them.

    Twice the share of the draws on the rarer side of 0, a draw of exactly 0 being on both, with one more draw counted
    on it so that no p-value is 0 (Davison & Hinkley 1997, Bootstrap Methods and their Application, section 4.2). But
    for that one draw it is 1 minus the level at which the percentile interval begins to hold 0.

    Parameters
    ----------
    draws
        Shape (draws,), NaN where undefined.
    """
    known = draws[~np.isnan(draws)]
    rarer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(known) + 1))


def false_discoveries(p: np.ndarray) -> np.ndarray:
    """Return q-values by Benjamini and Hochberg over the p-values that there are; NaN stays NaN."""
    q, known = np.full(len(p), np.nan), ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_control(p[known], method="bh")
    return q


def sign_in_every_seed(q: float, lowest: float, highest: float) -> int:
    """Say which way a difference goes: 1 or -1 where it is clear and every seed has that sign, else 0.

    Parameters
    ----------
    q
        Its q-value; NaN where there is none.
    lowest, highest
        The difference in the seeds in which it is lowest and highest.
    """
    if not q < SIGNIFICANT or lowest <= 0 <= highest:
        return 0
    return 1 if lowest > 0 else -1


def caveat(seeds: int) -> str:
    """Say on how few seeds a verdict rests; nothing where they are enough."""
    return "" if seeds >= ENOUGH_SEEDS else f"rests on {seeds} seed{'' if seeds == 1 else 's'}"
