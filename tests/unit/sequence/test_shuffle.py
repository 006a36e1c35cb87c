import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lociflow.sequence.alphabet import SOFT_MASK, decode, encode
from lociflow.sequence.one_hot import one_hot
from lociflow.sequence.shuffle import dinucleotide_shuffle, shuffle_seeds


def shuffled(letters: str, seeds: int | range, soft_mask: bool = False) -> list[str]:
    seeds = range(seeds, seeds + 1) if isinstance(seeds, int) else seeds
    codes = np.tile(encode(letters, soft_mask), (len(seeds), 1))
    return [decode(row) for row in dinucleotide_shuffle(codes, np.array(seeds))]


def dinucleotides(letters: str) -> Counter[str]:
    return Counter(letters[place : place + 2] for place in range(len(letters) - 1))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(letters=st.text("ACGTNR", min_size=1, max_size=60), seed=st.integers(-(2**63), 2**63 - 1))
def test_keeps_every_dinucleotide_and_every_ambiguous_place(letters: str, seed: int):
    (found,) = shuffled(letters, seed)
    assert dinucleotides(found) == dinucleotides(letters)
    assert Counter(found) == Counter(letters)
    assert [(place, letter) for place, letter in enumerate(found) if letter in "NR"] == [
        (place, letter) for place, letter in enumerate(letters) if letter in "NR"
    ]
    assert (found[0], found[-1]) == (letters[0], letters[-1])


@pytest.mark.parametrize("letters", ["ACAGTACCAGT", "AACATCAA", "GATTACAGA", "ACGTNACAGTACA"])
def test_draws_each_possible_order_equally_often(letters: str):
    possible = {
        order
        for middle in set(itertools.permutations(letters[1:-1].replace("N", "")))
        for order in [letters[0] + "".join(middle) + letters[-1]]
        if "N" not in letters
        if dinucleotides(order) == dinucleotides(letters)
    }
    if "N" in letters:
        left, right = letters.split("N")
        inner = {"".join(order) for order in itertools.permutations(right)}
        possible = {
            f"{left}N{order}"
            for order in inner
            if order[0] == right[0] and order[-1] == right[-1] and dinucleotides(order) == dinucleotides(right)
        }
    draws = Counter(shuffled(letters, range(3000 * len(possible))))
    assert set(draws) == possible
    assert len(possible) > 2
    assert chisquare(list(draws.values())).pvalue > 1e-4


def test_some_sequences_have_one_order_only():
    for letters in ("A", "AC", "ACG", "AAAAAA", "ACACACAC", "NNNN", "ACGNTGA", "A" * 300 + "C" * 300 + "G" * 300 + "T"):
        assert shuffled(letters, range(5)) == [letters] * 5


def test_a_function_of_sequence_and_seed_alone():
    codes = np.random.default_rng(1).integers(0, 4, (50, 80)).astype(np.uint8)
    seeds = np.arange(50) * 7
    found = dinucleotide_shuffle(codes, seeds)
    assert (dinucleotide_shuffle(codes[::-1], seeds[::-1])[::-1] == found).all()
    assert (dinucleotide_shuffle(codes[13:14], seeds[13:14])[0] == found[13]).all()
    assert (dinucleotide_shuffle(codes, seeds + 1) != found).any(axis=1).all()


def test_writes_nothing_into_what_it_is_given():
    codes = np.tile(encode("ACGTTGCATGCATTGACA"), (4, 1))
    before = codes.copy()
    codes.setflags(write=False)
    dinucleotide_shuffle(codes, np.arange(4))
    assert (codes == before).all()


def test_soft_masking_stays_with_the_position():
    letters = "acgtTGCATGCAnnttgACAGGCATT"
    codes = np.tile(encode(letters, soft_mask=True), (20, 1))
    found = dinucleotide_shuffle(codes, np.arange(20))
    assert ((found & SOFT_MASK) == (codes & SOFT_MASK)).all()
    plain = dinucleotide_shuffle(codes & ~np.uint8(SOFT_MASK), np.arange(20))
    assert (found & ~np.uint8(SOFT_MASK) == plain).all()
    assert len({row.tobytes() for row in found}) > 10


def test_has_the_counts_of_tangermeme():
    import torch
    from tangermeme.ersatz import dinucleotide_shuffle as tangermeme_shuffle

    codes = np.random.default_rng(3).choice(4, (30, 200), p=[0.4, 0.1, 0.2, 0.3]).astype(np.uint8)
    theirs = tangermeme_shuffle(torch.from_numpy(one_hot(codes)).float(), n=1, random_state=1)[:, 0].argmax(1).numpy()
    ours = dinucleotide_shuffle(codes, np.arange(30))
    for mine, other in zip(ours, theirs, strict=True):
        assert (
            np.bincount(mine[:-1] * 4 + mine[1:], minlength=16) == np.bincount(other[:-1] * 4 + other[1:], minlength=16)
        ).all()
    assert (ours != codes).any(axis=1).all()


@pytest.mark.parametrize(
    ("codes", "seeds", "sentence"),
    [
        (np.zeros(4, np.uint8), np.zeros(1, int), "codes: found uint8"),
        (np.zeros((1, 4), np.int8), np.zeros(1, int), "codes: found int8"),
        (np.zeros((2, 4), np.uint8), np.zeros(1, int), "seeds: found int64"),
        (np.zeros((2, 4), np.uint8), np.zeros(2), "seeds: found float64"),
    ],
)
def test_other_shapes_and_types(codes: np.ndarray, seeds: np.ndarray, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        dinucleotide_shuffle(codes, seeds)


def test_seeds_are_functions_of_seed_name_start_and_copy():
    names = ["a", "b"]
    contig, start, copy = np.meshgrid([0, 1], np.arange(500) * 200, [0, 1, 2], indexing="ij")
    found = [shuffle_seeds(seed, names, contig.ravel(), start.ravel(), copy.ravel()) for seed in (0, 1, 2**127)]
    assert all(seeds.dtype == np.int64 and (seeds > 0).all() for seeds in found)
    assert len(set(np.concatenate(found).tolist())) == 9000
    # The contig counts by its name, not by its number.
    other = shuffle_seeds(1, ["b", "more", "a"], np.where(contig.ravel() == 0, 2, 0), start.ravel(), copy.ravel())
    np.testing.assert_array_equal(other, found[1])
    # Bits are as even as those of draws.
    bits = (found[0][:, None] >> np.arange(63)) & 1
    assert (abs(bits.mean(axis=0) - 0.5) < 0.05).all()
    assert shuffle_seeds(0, [], np.zeros(0, int), np.zeros(0, int), np.zeros(0, int)).tolist() == []
