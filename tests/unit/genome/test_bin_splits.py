import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_cases import bin_data, memory_store

from lociflow.command import UserError
from lociflow.genome.splits import by_group, published, random

FRACTIONS = {"train": 0.6, "validation": 0.2, "test": 0.2}
STORE = memory_store([np.zeros(1000, np.uint8), np.zeros(1000, np.uint8)], ["c0", "c1"])


def data(count: int, **columns):
    contig = np.arange(count) % 2
    start = 10 * (np.arange(count) // 2)
    return bin_data(STORE, contig, start, start + 10, **columns)


def counts(split) -> list[int]:
    return [int((split.codes == side).sum()) for side in range(3)]


def test_lots_keep_the_fractions_to_the_bin():
    assert counts(random(data(50), fractions=FRACTIONS)) == [30, 10, 10]
    first, again, other = (random(data(50), fractions=FRACTIONS, seed=seed).codes for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_too_few_bins_for_a_side():
    with pytest.raises(UserError, match="found no bin"):
        random(data(2), fractions=FRACTIONS)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e", None]), min_size=20, max_size=60), st.integers(0, 3))
def test_a_group_never_stands_on_two_sides(group: list[str | None], seed: int):
    if len({name for name in group if name}) < 3:
        return
    split = by_group(data(len(group), group=group), fractions=FRACTIONS, seed=seed)
    assert (split.codes >= 0).all()
    for name in "abcde":
        assert len({code for code, own in zip(split.codes, group, strict=True) if own == name}) <= 1


def test_named_groups():
    cases = data(6, group=["a", "b", "c", "a", None, "d"])
    assert list(by_group(cases, validation="b", test=["c"]).codes) == [0, 1, 2, 0, 0, 0]
    assert list(by_group(cases, train=["a"], validation=["b"], test=["c"]).codes) == [0, 1, 2, 0, -1, -1]


@pytest.mark.parametrize(
    ("group", "config", "sentence"),
    [
        ([None] * 6, {"fractions": FRACTIONS}, "split: found no group, expected a group for the bins"),
        (list("abcdef"), {}, "expected either fractions or the names of groups"),
        (list("abcdef"), {"fractions": FRACTIONS, "test": ["a"]}, "expected either fractions or the names of groups"),
        (list("abcdef"), {"validation": ["b"], "test": ["z"]}, r"split.test: found group z, expected one of a, b, c"),
        (list("abcdef"), {"validation": ["b"], "test": ["b"]}, "found group b in split.validation and in split.test"),
        (list("abcdef"), {"test": ["b"]}, "split.validation: found no bin"),
    ],
)
def test_groups_that_are_refused(group: list, config: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        by_group(data(6, group=group), **config)


def test_the_published_split_as_it_is():
    given_split = ["train", "test", "validation", None]
    assert list(published(data(4, published=given_split)).codes) == [0, 2, 1, -1]


@pytest.mark.parametrize("by", ["bin", "group", "contig"])
def test_validation_is_taken_from_training(by: str):
    cases = data(
        40, published=["train"] * 30 + ["test"] * 10, group=[str(number // 3) for number in range(30)] + [None] * 10
    )
    split = published(cases, validation_fraction=0.5, validation_by=by)
    assert counts(split) == [15, 15, 10]
    assert (split.codes[30:] == 2).all()
    together = cases.windows["group"] if by == "group" else cases.windows["contig"]
    if by != "bin":
        for name in together.cat.categories:
            assert len(set(split.codes[:30][(together == name)[:30]])) <= 1


@pytest.mark.parametrize(
    ("given_split", "config", "sentence"),
    [
        ([None] * 4, {}, "split.train: found no bin"),
        (["train"] * 4, {}, "split.test: found no bin"),
        (["train", "train", "test", "test"], {}, "found no bin that is published for it, .*; add validation_fraction"),
        (["train", "validation", "test", None], {"validation_fraction": 0.1}, "remove validation_fraction"),
        (["train", "train", "test", None], {"validation_fraction": 1.5}, "split.validation_fraction: found 1.5"),
        (["train", "train", "test", None], {"validation_fraction": 0.5, "validation_by": "gene"}, "validation_by"),
        (["train", None, "test", None], {"validation_fraction": 0.5}, "split.validation: found no bin"),
    ],
)
def test_published_splits_that_are_refused(given_split: list, config: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        published(data(4, published=given_split), **config)
