import numpy as np
import pytest
from split_cases import bin_data, memory_store, mutated, random_codes, sequence_data

from lociflow.command import UserError
from lociflow.genome.homology_split import overlapping_units
from lociflow.genome.leaks import find_leaks
from lociflow.genome.splits import homology_aware
from lociflow.sequence.homology import similar_groups

FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}
LENGTH = 150


def families(count: int, size: int, seed: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [
        mutated(parent, generator, 0.08, indels=0.2, reverse=bool(member % 2))
        for parent in random_codes(generator, count, LENGTH)
        for member in range(size)
    ]


def test_families_stay_together():
    sequences = families(40, 5, seed=1)
    split = homology_aware(sequence_data(sequences), fractions=FRACTIONS, seed=2)
    codes = np.asarray(split.codes).reshape(40, 5)
    assert (codes == codes[:, :1]).all()
    assert np.bincount(split.codes).tolist() == [120, 40, 40]


def test_nothing_similar_on_two_sides():
    sequences = np.stack(families(30, 3, seed=3))
    data = sequence_data(list(sequences))
    split = homology_aware(data, fractions=FRACTIONS)
    assert find_leaks(data, split).table.empty
    label = similar_groups(lambda rows: sequences[rows], len(sequences), LENGTH).label
    for member in np.unique(label):
        assert len(set(split.codes[label == member])) == 1


def test_a_giant_family_is_taken_apart_and_its_test_bins_go():
    generator = np.random.default_rng(14)
    sequences = [*families(1, 180, seed=4), *random_codes(generator, 20, LENGTH)]
    data = sequence_data(sequences)
    split = homology_aware(data, fractions=FRACTIONS)
    assert find_leaks(data, split).table.empty
    # What is like nothing else is for validation and test; of the family only training bins are left.
    assert set(split.codes[180:]) == {1, 2}
    assert set(split.codes[:180]) == {0, -1}
    assert (split.codes == 0).sum() == 120


def test_overlapping_windows_are_one_unit():
    store = memory_store([np.zeros(1000, np.uint8), np.zeros(1000, np.uint8)])
    data = bin_data(store, [0, 0, 0, 1, 0], [0, 100, 130, 100, 400], [50, 150, 180, 150, 450], length=60)
    # Windows of 60 around bins of 50: [-5, 55), [95, 155), [125, 185), then the other contig, then [395, 455).
    assert overlapping_units(data).tolist() == [0, 1, 1, 3, 2]


def test_blocks_of_a_genome_and_their_borders():
    generator = np.random.default_rng(5)
    contig = generator.integers(0, 4, 20_000, dtype=np.uint8)
    start = np.arange(0, 19_900, 100)
    data = bin_data(memory_store([contig]), [0] * len(start), start, start + 100, length=250)
    with pytest.raises(UserError, match="found no bin"):
        homology_aware(data, fractions=FRACTIONS)
    split = homology_aware(data, fractions=FRACTIONS, block=2_000)
    assert find_leaks(data, split).table.empty
    assert (split.codes == -1).any()
    for piece in range(10):
        inside = split.codes[(start // 2_000 == piece)]
        assert len(set(inside[inside >= 0])) <= 1


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"identity": 80}, r"split.identity: found 80, expected a fraction above 0 and up to 1"),
        ({"coverage": 0}, "split.coverage: found 0"),
        ({"block": 0}, "split.block: found 0"),
        ({"fractions": {"train": 1}}, "split.fractions"),
    ],
)
def test_refusals(config: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        homology_aware(sequence_data(families(3, 1, seed=0)), **({"fractions": FRACTIONS} | config))
