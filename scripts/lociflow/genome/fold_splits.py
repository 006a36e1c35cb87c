"""Cross-validation by bins: each bin is tested on by the one model that has not learnt from it."""

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.split_data import TEST, TRAIN, VALIDATION, SplitData, as_split, check_sides
from lociflow.genome.windows import check_whole


def cross_validation(
    data: SplitData, *, folds: int, fold: int, validation_fraction: float | None = None, seed: int = 0
) -> pd.Categorical:
    """Divide the bins by lot into folds with the same share of every class, and test on one of them.

    Neighbouring bins, copies and relatives may stand in different folds, and scores are then too good, as they are in
    many a published table; the audit says by how many. On a genome use
    :func:`lociflow.genome.contig_splits.contig_folds`.

    Parameters
    ----------
    data
        The data set. Bins are stratified by their class, or by which targets they are positive for; of other kinds of
        labels, by nothing.
    folds
        How many, at least 2, or 3 without ``validation_fraction``.
    fold
        From 1 to ``folds``: the fold to test on.
    validation_fraction
        The share of the other folds' bins, stratified too, that is for validation; None for the next fold, after the
        last the first.
    seed
        Of the draw; the folds are the same for every ``fold``.

    Raises
    ------
    UserError
        There are fewer bins than folds, no such fold, or a side has no bin.
    """
    check_whole("split.seed", seed, least=0)
    check_whole("split.folds", folds, least=3 if validation_fraction is None else 2)
    _check_fold(folds, fold)
    if len(data.windows) < folds:
        raise UserError(f"split.folds: found {folds} folds for {len(data.windows)} bins, expected no more than bins")
    stratum = strata(data)
    home = _dealt(stratum, folds, [seed, 0]) + 1
    if validation_fraction is None:
        side = np.where(home == fold, TEST, np.where(home == fold % folds + 1, VALIDATION, TRAIN))
    else:
        side = _with_validation(home == fold, stratum, validation_fraction, [seed, fold])
    check_sides(side, remedy="change folds or validation_fraction")
    return as_split(side)


def leave_one_out(
    data: SplitData, *, folds: int, fold: int, validation_fraction: float, seed: int = 0
) -> pd.Categorical:
    """Test on a single bin.

    Parameters
    ----------
    data
        The data set.
    folds
        The number of its bins, one by one the test bin.
    fold
        From 1 to ``folds``: which.
    validation_fraction
        The share of the other bins, drawn for each fold anew with the same share of every class, that is for
        validation, where early stopping and the choice of a regularisation look.
    seed
        Of that draw.

    Raises
    ------
    UserError
        ``folds`` is not the number of bins, there is no such fold, or a side has no bin.
    """
    check_whole("split.seed", seed, least=0)
    check_whole("split.folds", folds, least=3)
    _check_fold(folds, fold)
    if len(data.windows) != folds:
        raise UserError(
            f"split.folds: found {folds}, expected {len(data.windows)} as there are bins, for leaving out one at a "
            "time; correct folds"
        )
    side = _with_validation(np.arange(folds) == fold - 1, strata(data), validation_fraction, [seed, fold])
    check_sides(side, remedy="change validation_fraction")
    return as_split(side)


def leave_one_group_out(data: SplitData, *, folds: int, fold: int) -> pd.Categorical:
    """Test on one group: a cell type, a gene, an individual, a species, a study.

    The next group in the alphabet, after the last the first, is for validation, so that no choice is made on a group
    that training knows, and the others are for training.

    Parameters
    ----------
    data
        The data set; every bin has a group.
    folds
        The number of groups, one by one the test group.
    fold
        From 1 to ``folds``: which, in the order of the alphabet.

    Raises
    ------
    UserError
        A bin has no group, ``folds`` is not the number of groups, or there is no such fold.
    """
    check_whole("split.folds", folds, least=3)
    _check_fold(folds, fold)
    group = data.windows["group"].cat.remove_unused_categories().cat
    if lacking := int((group.codes < 0).sum()):
        raise UserError(
            f"split: {lacking:,} of {len(group.codes):,} bins have no group, expected one for each; name the column or "
            "the field of the header that holds it, or use another scheme"
        )
    names = [str(name) for name in group.categories]
    if len(names) != folds:
        raise UserError(
            f"split.folds: found {folds}, expected {len(names)} as there are groups, for leaving out one at a time; "
            "correct folds"
        )
    place = np.argsort(np.argsort(names))[group.codes.to_numpy()]
    return as_split(np.where(place == fold - 1, TEST, np.where(place == fold % folds, VALIDATION, TRAIN)))


def strata(data: SplitData) -> np.ndarray:
    """Number the distinct rows of classes or of binary labels, int64, shape (bins,); all 0 for other kinds."""
    if data.kind not in ("binary", "class"):
        return np.zeros(len(data.windows), np.int64)
    _, stratum = np.unique(np.asarray(data.labels), axis=0, return_inverse=True)
    return np.asarray(stratum, dtype=np.int64).ravel()


def _check_fold(folds: int, fold: int) -> None:
    check_whole("split.fold", fold)
    if fold > folds:
        raise UserError(f"split.fold: found {fold}, expected a whole number from 1 to split.folds, which is {folds}")


def _shuffled(stratum: np.ndarray, key: list[int]) -> np.ndarray:
    """Return the indices of the bins, stratum after stratum, in each by lot."""
    generator = np.random.Generator(np.random.Philox(key=np.array(key, np.uint64)))
    return np.lexsort((generator.permutation(len(stratum)), stratum))


def _dealt(stratum: np.ndarray, folds: int, key: list[int]) -> np.ndarray:
    """Deal the bins, stratum after stratum, to the folds in turn: no fold has more than one more of any stratum."""
    home = np.empty(len(stratum), np.int64)
    home[_shuffled(stratum, key)] = np.arange(len(stratum)) % folds
    return home


def _with_validation(test: np.ndarray, stratum: np.ndarray, validation: float, key: list[int]) -> np.ndarray:
    """Take evenly spaced bins of those that are not tested on, stratum after stratum, for validation."""
    if isinstance(validation, bool) or not isinstance(validation, int | float) or not 0 < validation < 1:
        raise UserError(
            f"split.validation_fraction: found {validation!r}, expected a fraction above 0 and below 1, such as 0.1"
        )
    rest = np.flatnonzero(~test)
    order = rest[_shuffled(stratum[rest], key)]
    passed = np.floor(np.arange(1, len(order) + 1) * validation + 1e-9)
    side = np.where(test, TEST, TRAIN)
    side[order[np.diff(passed, prepend=0.0) > 0]] = VALIDATION
    return side
