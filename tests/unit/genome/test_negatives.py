from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome import negatives as module
from lociflow.genome.negatives import background
from lociflow.genome.windows import bin_table, n_bases
from lociflow.sequence.store import SequenceStore

StoreOf = Callable[[dict[str, str]], SequenceStore]


def regions(store: SequenceStore, *rows: tuple[str, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["contig", "start", "end"])
    return table.assign(contig=pd.Categorical(table["contig"], categories=list(store.names))).astype(
        {"start": np.int64, "end": np.int64}
    )


def bins(store: SequenceStore, number: int, length: int = 10) -> pd.DataFrame:
    return bin_table(store, np.zeros(number, int), np.arange(number, dtype=np.int64), length)


def rows(frame: pd.DataFrame) -> list[tuple]:
    return list(frame[["contig", "start", "end"]].itertuples(index=False, name=None))


def test_the_only_place_that_is_free(store_of: StoreOf):
    store = store_of({"a": "A" * 100, "b": "A" * 9, "c": "N" * 30})
    drawn = background(store, bins(store, 1), regions(store, ("a", 0, 40), ("a", 50, 100)))
    assert rows(drawn) == [("a", 40, 50)]
    assert list(drawn["strand"]) == ["."]


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    avoid=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 900), st.integers(0, 60)), max_size=8),
    seed=st.integers(0, 2**64),
)
def test_touches_nothing_it_should_avoid(store_of: StoreOf, avoid: list, seed: int):
    store = store_of({"a": "A" * 800 + "N" * 50 + "A" * 150, "b": "C" * 400})
    table = regions(store, *((contig, start, start + length) for contig, start, length in avoid))
    drawn = background(store, bins(store, 8), table, ratio=1.5, seed=seed)
    assert len(drawn) == 12
    assert (n_bases(store, drawn) == 0).all()
    for contig, start, end in rows(drawn):
        assert start >= 0
        assert end - start == 10
        assert end <= (1000 if contig == "a" else 400)
        others = [*rows(table), *(row for row in rows(drawn) if row != (contig, start, end))]
        assert not any(c == contig and s < end and start < e for c, s, e in others if s < e)
    assert len(set(rows(drawn))) == 12


def test_a_function_of_the_seed_alone(store_of: StoreOf, monkeypatch: pytest.MonkeyPatch):
    store = store_of({"a": "ACGT" * 5000, "b": "ACGT" * 5000})
    avoid = regions(store, ("a", 5000, 6000))
    first = background(store, bins(store, 300), avoid, seed=3)
    pd.testing.assert_frame_equal(background(store, bins(store, 300), avoid, seed=3), first)
    assert rows(background(store, bins(store, 300), avoid, seed=4)) != rows(first)
    # Fewer bins are the first of the same draws.
    assert set(rows(background(store, bins(store, 100), avoid, seed=3))) < set(rows(first))


def test_each_contig_gets_its_share_by_free_length(store_of: StoreOf):
    store = store_of({"long": "A" * 60_000, "half": "A" * 60_000, "short": "A" * 30_000})
    drawn = background(store, bins(store, 2000), regions(store, ("half", 0, 30_000)), seed=1)
    share = drawn["contig"].value_counts(normalize=True)
    assert share["long"] == pytest.approx(0.5, abs=0.04)
    assert share["half"] == pytest.approx(0.25, abs=0.04)
    assert share["short"] == pytest.approx(0.25, abs=0.04)


def test_nothing_to_draw(store_of: StoreOf):
    store = store_of({"a": "A" * 30})
    assert background(store, bins(store, 0), regions(store)).empty


def test_no_room(store_of: StoreOf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_MISSES", 200)
    store = store_of({"a": "A" * 25})
    with pytest.raises(UserError, match=r"found room for [12] background bins of 10 bases .* expected 3"):
        background(store, bins(store, 3), regions(store))
    with pytest.raises(UserError, match="found room for 0 background bins"):
        background(store, bins(store, 1), regions(store, ("a", 0, 25)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"ratio": 0}, "windows.negatives.ratio: found 0, expected a positive number"),
        ({"ratio": "1"}, "windows.negatives.ratio: found '1'"),
        ({"seed": -1}, "windows.negatives.seed: found -1, expected a whole number of at least 0"),
    ],
)
def test_bad_settings(store_of: StoreOf, arguments: dict, sentence: str):
    store = store_of({"a": "A" * 30})
    with pytest.raises(UserError, match=sentence):
        background(store, bins(store, 1), regions(store), **arguments)
