"""Splits by whole contigs that are chosen so that the sides are alike."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.allocation import allocate, quantities, shares
from lociflow.genome.contig_names import some
from lociflow.genome.split_data import NO_SPLIT, TEST, TRAIN, VALIDATION, SplitData, as_split
from lociflow.genome.windows import check_whole


def balanced_contigs(
    data: SplitData, *, fractions: Mapping[str, float], seed: int = 0, leave_out: Sequence[str] = ()
) -> pd.Categorical:
    """Split bins by whole contigs, chosen so that each side has its fraction of the bases and of every target.

    Parameters
    ----------
    data
        Bases of the bins, and the positives of each target or the bins of each class, are balanced, see
        :func:`lociflow.genome.allocation.quantities`.
    fractions
        Of ``train``, ``validation`` and ``test``; they add up to 1.
    seed
        Decides between contigs of one size.
    leave_out
        Contigs in no split.

    Returns
    -------
    pandas.Categorical
        Over train, validation and test, missing on contigs that are left out.

    Raises
    ------
    UserError
        Fewer than three contigs have bins, a contig is unknown, or the fractions do not add up to 1.
    """
    check_whole("split.seed", seed, least=0)
    wanted = shares(fractions)
    part, parts = _contigs(data, leave_out, 3, "three splits")
    side = allocate(quantities(data, part, parts), wanted, seed)
    return as_split(np.where(part >= 0, side[part], NO_SPLIT))


def contig_folds(
    data: SplitData, *, folds: int, fold: int, seed: int = 0, leave_out: Sequence[str] = ()
) -> pd.Categorical:
    """Divide the contigs into folds of equal size and labels, and make one of them the test split.

    Parameters
    ----------
    data
        As for :func:`balanced_contigs`.
    folds
        How many, at least 3.
    fold
        From 1 to ``folds``: the fold to test on; the next one, after the last the first, is for validation, all others
        for training.
    seed, leave_out
        As for :func:`balanced_contigs`; the folds are the same for every ``fold``.

    Raises
    ------
    UserError
        There are fewer contigs with bins than folds, or no such fold.
    """
    check_whole("split.seed", seed, least=0)
    check_whole("split.folds", folds, least=3)
    check_whole("split.fold", fold)
    if fold > folds:
        raise UserError(f"split.fold: found {fold}, expected a whole number from 1 to split.folds, which is {folds}")
    part, parts = _contigs(data, leave_out, folds, f"{folds} folds")
    home = allocate(quantities(data, part, parts), np.full(folds, 1 / folds), seed) + 1
    side = np.where(home == fold, TEST, np.where(home == fold % folds + 1, VALIDATION, TRAIN))
    return as_split(np.where(part >= 0, side[part], NO_SPLIT))


def _contigs(data: SplitData, leave_out: Sequence[str], least: int, what: str) -> tuple[np.ndarray, int]:
    """Return the number of each bin's contig among those that have bins and are not left out."""
    names = list(data.windows["contig"].cat.categories)
    left = [leave_out] if isinstance(leave_out, str) else [str(name) for name in leave_out]
    for name in left:
        if name not in names:
            raise UserError(f"split.leave_out: found contig {name}, expected one of the genome's ({some(names)})")
    codes = data.windows["contig"].cat.codes.to_numpy().astype(np.int64)
    kept = [code for code in np.unique(codes) if names[code] not in left]
    if len(kept) < least:
        raise UserError(
            f"split: found {len(kept)} contigs with bins, expected at least {least} for {what}; use another scheme, "
            "such as lociflow.genome.splits.homology_aware with blocks"
        )
    number = np.full(len(names), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    return number[codes], len(kept)
