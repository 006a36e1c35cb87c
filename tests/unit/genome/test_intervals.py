import numpy as np
import pandas as pd
import pybedtools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.intervals import merge, overlap_any, require_bedtools, subtract

CONTIGS = ["b", "a", "c"]

region = st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(1, 20))


def table(*rows: tuple[str, int, int]) -> pd.DataFrame:
    contigs, starts, ends = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "contig": pd.Categorical(contigs, categories=CONTIGS),
            "start": np.array(starts, np.int64),
            "end": np.array(ends, np.int64),
        }
    )


def drawn(regions: list[tuple[int, int, int]]) -> pd.DataFrame:
    return table(*((CONTIGS[contig], start, start + length) for contig, start, length in regions))


def rows(frame: pd.DataFrame) -> list[tuple]:
    return list(frame[["contig", "start", "end"]].itertuples(index=False, name=None))


def test_merge_joins_what_overlaps_or_touches_in_the_genomes_order():
    merged = merge(table(("a", 5, 9), ("b", 3, 4), ("a", 0, 3), ("a", 3, 4), ("a", 8, 12)))
    assert rows(merged) == [("b", 3, 4), ("a", 0, 4), ("a", 5, 12)]
    assert list(merged["contig"].cat.categories) == CONTIGS


def test_subtract():
    left = subtract(table(("c", 0, 10), ("b", 0, 5)), table(("c", 2, 4), ("c", 9, 12), ("b", 0, 5)))
    assert rows(left) == [("c", 0, 2), ("c", 4, 9)]
    assert rows(subtract(table(("b", 0, 5)), table())) == [("b", 0, 5)]


def test_nothing():
    assert merge(table()).empty
    assert subtract(table(), table(("a", 0, 5))).empty
    assert overlap_any(table(), table(("a", 0, 5))).shape == (0,)
    assert not overlap_any(table(("a", 0, 5)), table()).any()


def test_overlap_any_needs_a_shared_base():
    bins = table(("a", 0, 5), ("a", 5, 10), ("a", 10, 15), ("b", 5, 10))
    assert overlap_any(bins, table(("a", 9, 10), ("a", 12, 12))).tolist() == [False, True, False, False]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(region, max_size=30), st.lists(region, max_size=15))
def test_overlap_any_is_bedtools_intersect(bins: list, regions: list):
    left, right = drawn(bins), drawn(regions)
    found = overlap_any(left, right)
    if left.empty or right.empty:
        assert not found.any()
        return
    hits = pybedtools.BedTool.from_dataframe(left).intersect(pybedtools.BedTool.from_dataframe(right), c=True)
    assert found.tolist() == [int(hit[3]) > 0 for hit in hits]


def test_no_bedtools(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"bedtools: no such program on PATH.*apt-get install bedtools"):
        require_bedtools()
