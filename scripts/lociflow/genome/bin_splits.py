"""Splits by a column of the windows table, as it was published, or by lot."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.allocation import allocate, shares
from lociflow.genome.contig_names import some
from lociflow.genome.split_data import (
    NO_SPLIT,
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    SplitData,
    as_split,
    check_sides,
)
from lociflow.genome.windows import check_whole


def random(data: SplitData, *, fractions: Mapping[str, float], seed: int = 0) -> pd.Categorical:
    """Draw the split of each bin by lot.

    Neighbouring bins, copies and relatives then stand on different sides, and scores are too good; the audit says by
    how many.

    Parameters
    ----------
    data
        The data set.
    fractions
        Of ``train``, ``validation`` and ``test``; they add up to 1, and are kept to the bin.
    seed
        Of the draw, which depends on nothing but it and the number of bins.

    Raises
    ------
    UserError
        The fractions do not add up to 1, or a side has no bin.
    """
    check_whole("split.seed", seed, least=0)
    codes = _drawn(len(data.windows), shares(fractions), seed)
    check_sides(codes, remedy="make its fraction larger")
    return as_split(codes)


def by_group(
    data: SplitData,
    *,
    fractions: Mapping[str, float] | None = None,
    train: Sequence[str] | None = None,
    validation: Sequence[str] | None = None,
    test: Sequence[str] | None = None,
    seed: int = 0,
) -> pd.Categorical:
    """Split bins by the ``group`` column: a group never stands on two sides.

    Parameters
    ----------
    data
        The data set. A bin without a group is a group of its own.
    fractions
        Of ``train``, ``validation`` and ``test`` in bins, they add up to 1; or None, with the groups named.
    train, validation, test
        Names of groups; ``train`` is all that the other two leave where None.
    seed
        Decides between groups of one size, with ``fractions``.

    Raises
    ------
    UserError
        No bin has a group; both or neither of fractions and names are given; a group is unknown or named twice; or a
        side has no bin.
    """
    check_whole("split.seed", seed, least=0)
    group = data.windows["group"].cat
    part = group.codes.to_numpy().astype(np.int64)
    if not (part >= 0).any():
        raise UserError(
            "split: found no group, expected a group for the bins; name the column or the field of the header that "
            "holds it, or use another scheme"
        )
    named = {"train": train, "validation": validation, "test": test}
    if (fractions is None) == (validation is None and test is None and train is None):
        raise UserError("split: expected either fractions or the names of groups in validation and test")
    if fractions is not None:
        _, part = np.unique(_alone(part), return_inverse=True)
        side = allocate(np.bincount(part)[:, None], shares(fractions), seed)
        codes = side[part]
    else:
        home = _homes([str(name) for name in group.categories], named)
        codes = np.where(part >= 0, home[part], TRAIN if train is None else NO_SPLIT)
    check_sides(codes, remedy="give it other groups")
    return as_split(codes)


def published(
    data: SplitData,
    *,
    validation_fraction: float | None = None,
    validation_by: str = "bin",
    seed: int = 0,
) -> pd.Categorical:
    """Take the split that the source gives.

    Parameters
    ----------
    data
        The data set, with ``published`` in its windows; bins without are in no split.
    validation_fraction
        Where nothing is published for validation: the part of the training bins that are taken for it.
    validation_by
        "bin", "group" or "contig": what stays together then.
    seed
        Of that draw.

    Raises
    ------
    UserError
        No split is published, or none for testing; there is none for validation and ``validation_fraction`` is missing,
        or there is one and it is given.
    """
    check_whole("split.seed", seed, least=0)
    codes = pd.Categorical(data.windows["published"], categories=list(SPLITS)).codes.astype(np.int8)
    check_sides(codes, (TRAIN, TEST), "name the column or the files that hold the published split")
    carve = validation_fraction is not None
    if carve == bool((codes == VALIDATION).any()):
        found = "bins that are published for it" if carve else "no bin that is published for it"
        remedy = "remove validation_fraction" if carve else "add validation_fraction, such as 0.1"
        raise UserError(f"split.validation: found {found}, expected it from one place; {remedy}")
    if validation_fraction is None:
        return as_split(codes)
    together = {
        "bin": np.arange(len(codes)),
        "group": _alone(data.windows["group"].cat.codes.to_numpy().astype(np.int64)),
        "contig": data.windows["contig"].cat.codes.to_numpy().astype(np.int64),
    }
    if validation_by not in together:
        raise UserError(f"split.validation_by: found {validation_by!r}, expected one of {', '.join(together)}")
    if isinstance(validation_fraction, bool) or not 0 < validation_fraction < 1:
        raise UserError(
            f"split.validation_fraction: found {validation_fraction!r}, expected a fraction above 0 and below 1"
        )
    rows = np.flatnonzero(codes == TRAIN)
    _, part, size = np.unique(together[validation_by][rows], return_inverse=True, return_counts=True)
    side = allocate(size[:, None], np.array([1 - validation_fraction, validation_fraction]), seed)
    codes[rows] = side[part]
    check_sides(codes, remedy="change validation_fraction or validation_by")
    return as_split(codes)


def _drawn(count: int, wanted: np.ndarray, seed: int) -> np.ndarray:
    place = np.random.Generator(np.random.Philox(key=seed)).permutation(count)
    borders = np.round(np.cumsum(wanted) * count)
    return np.minimum(np.searchsorted(borders, place, side="right"), len(wanted) - 1)


def _alone(part: np.ndarray) -> np.ndarray:
    """Give every bin without a part one of its own."""
    single = np.flatnonzero(part < 0)
    numbered = part.copy()
    numbered[single] = part.max(initial=-1) + 1 + np.arange(len(single))
    return numbered


def _homes(groups: list[str], named: Mapping[str, Sequence[str] | None]) -> np.ndarray:
    """Return the side of each group that the configuration names."""
    home = np.full(len(groups), TRAIN if named["train"] is None else NO_SPLIT, dtype=np.int8)
    place = {group: number for number, group in enumerate(groups)}
    taken: dict[str, str] = {}
    for side, split in enumerate(SPLITS):
        names = named[split] or []
        for name in [names] if isinstance(names, str) else names:
            if str(name) not in place:
                raise UserError(f"split.{split}: found group {name}, expected one of {some(groups)}")
            if str(name) in taken:
                raise UserError(
                    f"split: found group {name} in split.{taken[str(name)]} and in split.{split}, expected it in one; "
                    "remove it from the other"
                )
            taken[str(name)] = split
            home[place[str(name)]] = side
    return home
