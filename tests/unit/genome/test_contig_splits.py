import numpy as np
import pytest
from split_cases import bin_data, memory_store

from lociflow.command import UserError
from lociflow.genome.split_data import SplitData
from lociflow.genome.splits import balanced_contigs, contig_folds

FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}


def tiled(bins: list[int], positive: list[int] | None = None) -> SplitData:
    """Contigs of so many bins of ten bases, of which so many of each contig are positive."""
    store = memory_store([np.zeros(10 * number, np.uint8) for number in bins], [f"c{i}" for i in range(len(bins))])
    contig = np.repeat(np.arange(len(bins)), bins)
    start = np.concatenate([10 * np.arange(number) for number in bins])
    labels = np.concatenate([np.arange(number) < (positive or bins)[i] for i, number in enumerate(bins)])
    return bin_data(store, contig, start, start + 10, labels=labels[:, None].astype(np.int8))


def sides_of(data: SplitData, split) -> dict[str, set[str]]:
    contig = data.windows["contig"].astype(str)
    return {name: set(contig[np.asarray(split) == name]) for name in ("train", "validation", "test")}


def test_sizes_are_kept_by_whole_contigs():
    data = tiled([40, 20, 20, 10, 10])
    split = balanced_contigs(data, fractions=FRACTIONS)
    assert [int((split.codes == side).sum()) for side in range(3)] == [60, 20, 20]
    contigs = sides_of(data, split)
    assert not contigs["train"] & contigs["test"] | contigs["train"] & contigs["validation"]


def test_positives_are_spread():
    data = tiled([20] * 5, [10, 10, 10, 0, 0])
    for seed in range(5):
        split = balanced_contigs(data, fractions=FRACTIONS, seed=seed)
        positives = data.labels[:, 0] == 1
        assert [int((positives & (split.codes == side)).sum()) for side in range(3)] == [10, 10, 10]


def test_contigs_can_be_left_out():
    data = tiled([20] * 5)
    split = balanced_contigs(data, fractions=FRACTIONS, leave_out="c4")
    assert (split.codes[80:] == -1).all()
    assert (split.codes[:80] >= 0).all()


def test_every_contig_is_tested_once():
    data = tiled([30, 10, 20, 20, 10, 10, 15, 5])
    splits = [contig_folds(data, folds=4, fold=fold) for fold in (1, 2, 3, 4)]
    tested = np.array([split.codes == 2 for split in splits])
    assert (tested.sum(axis=0) == 1).all()
    for here, after in zip(splits, splits[1:] + splits[:1], strict=True):
        assert np.array_equal(here.codes == 1, after.codes == 2)
    assert [int(fold.sum()) for fold in tested] == [30, 30, 30, 30]


@pytest.mark.parametrize(
    ("scheme", "config", "sentence"),
    [
        (balanced_contigs, {"fractions": FRACTIONS, "leave_out": ["c1"]}, "found 2 contigs with bins, expected at"),
        (balanced_contigs, {"fractions": FRACTIONS, "leave_out": ["chr1"]}, "split.leave_out: found contig chr1"),
        (balanced_contigs, {"fractions": FRACTIONS, "seed": -1}, "split.seed: found -1"),
        (contig_folds, {"folds": 4, "fold": 1}, "found 3 contigs with bins, expected at least 4 for 4 folds"),
        (contig_folds, {"folds": 2, "fold": 1}, "split.folds: found 2, expected a whole number of at least 3"),
        (contig_folds, {"folds": 3, "fold": 4}, "split.fold: found 4, expected a whole number from 1 to split.folds"),
        (contig_folds, {"folds": 3, "fold": 0}, "split.fold: found 0"),
    ],
)
def test_refusals(scheme, config: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        scheme(tiled([5, 5, 5]), **config)
