from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from store_files import StoreOf

from lociflow.command import UserError
from lociflow.effects.alleles import Allele
from lociflow.effects.background import (
    Background,
    choose,
    draw_substitutions,
    percentiles,
    read_background,
    write_background,
)
from lociflow.effects.settings import EffectConfig


def test_a_percentile_is_the_share_that_is_smaller() -> None:
    background = Background(("a", "b"), np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 4.0]]))
    found = percentiles(background, np.array([[-2.0, 0.5], [0.5, 1.0], [9.0, -4.0]]))
    assert found.tolist() == [[50.0, 0.0], [25.0, 0.0], [100.0, 75.0]]
    assert percentiles(background, np.zeros((1, 2))).tolist() == [[0.0, 0.0]]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    background = Background(("a", "b:c"), np.array([[0.0, 1.0]]))
    for name in ("one.npz", "other.npz"):
        write_background(tmp_path / name, background)
    found = read_background(tmp_path / "one.npz")
    assert found.columns == background.columns
    assert found.effects.tolist() == [[0.0, 1.0]]
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    with pytest.raises(UserError, match="cannot be read"):
        read_background(tmp_path / "none.npz")


def test_substitutions_lie_in_the_regions_and_change_a_known_base(store_of: StoreOf) -> None:
    letters = "ACGTNNNNACGTACGTACGT"
    store = store_of({"chrI": "T" * 50, "chrII": letters})
    regions = np.array([1, 1]), np.array([2, 16]), np.array([10, 30])
    found = draw_substitutions(store, *regions, settings=EffectConfig(snvs=2000), length=4)
    assert len(found) == 2000
    assert {allele.position for allele in found} == {2, 3, 8, 9, 16, 17, 18, 19}
    assert {allele.contig for allele in found} == {1}
    for allele in found:
        assert allele.reference == letters[allele.position] != allele.alternative
    # Each other base with the same chance.
    changes = Counter((allele.reference, allele.alternative) for allele in found if allele.reference == "G")
    assert set(changes) == {("G", "A"), ("G", "C"), ("G", "T")}
    assert min(changes.values()) > 0.8 * max(changes.values())
    assert draw_substitutions(store, *regions, EffectConfig(snvs=2000), 4) == found
    assert draw_substitutions(store, *regions, EffectConfig(snvs=2000, seed=2), 4) != found


def test_substitutions_stand_in_known_sequence(store_of: StoreOf) -> None:
    store = store_of({"chrI": "NNNACGTACGTNNN"})
    regions = np.array([0]), np.array([0]), np.array([14])
    # Windows of eight: that of the base at 3 has as much unknown as known, which is not more than half.
    found = draw_substitutions(store, *regions, EffectConfig(snvs=200), 8)
    assert {allele.position for allele in found} == set(range(3, 11))
    moved = draw_substitutions(store, *regions, EffectConfig(snvs=200, shifts=(0, -3)), 8)
    # Those that are moved to the left begin seven bases before their base.
    assert {allele.position for allele in moved} == {6, 7, 8, 9, 10}


def test_of_many_alleles_some_are_drawn_each_with_the_same_chance() -> None:
    alleles = [Allele(0, place, "A", "C") for place in range(10_000)]
    found = choose(iter(alleles), 3000, 1)
    assert len(set(found)) == 3000
    assert found == sorted(found)
    # 3,000 of 10,000 in each tenth 300, with a standard deviation of 14.
    tenths = Counter(allele.position // 1000 for allele in found)
    assert all(abs(number - 300) < 70 for number in tenths.values())
    # The draw of an allele is its own: of a longer file fewer of the same are kept, none that were not.
    assert set(choose(alleles, 300, 1)) < set(found)
    assert set(choose(alleles[:5000], 3000, 1)) > {allele for allele in found if allele.position < 5000}
    assert choose(iter(alleles), 3000, 2) != found
    assert choose(iter(alleles[:7]), 7, 1) == choose(iter(alleles[:7]), 8, 1) == alleles[:7]


def test_regions_without_bases(store_of: StoreOf) -> None:
    with pytest.raises(UserError, match="found 0 of 5 places"):
        draw_substitutions(
            store_of({"chrI": "NNNNNN"}), np.array([0]), np.array([0]), np.array([6]), EffectConfig(snvs=5), 4
        )
