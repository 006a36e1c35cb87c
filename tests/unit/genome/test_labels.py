import numpy as np
import pandas as pd
import pybedtools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.genome.labels import label_bins, marks_a_bin

CONTIGS = ["b", "a"]
TARGETS = ["T", "U"]


def bins_of(*rows: tuple[str, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["contig", "start", "end"])
    return table.assign(contig=pd.Categorical(table["contig"], categories=CONTIGS))


def peaks_of(*rows: tuple[str, int, int, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["contig", "start", "end", "target", "score"])
    return table.assign(
        contig=pd.Categorical(table["contig"], categories=CONTIGS),
        target=pd.Categorical(table["target"], categories=TARGETS),
        score=table["score"].astype(float),
        start=table["start"].astype(np.int64),
        end=table["end"].astype(np.int64),
    )


TILES = bins_of(("b", 0, 10), ("b", 10, 20), ("a", 0, 10), ("a", 10, 20), ("a", 20, 30))


@pytest.mark.parametrize(
    ("start", "end", "positive"),
    [
        (0, 10, [2]),
        (5, 20, [2, 3]),  # half of the first bin
        (6, 20, [3]),  # four tenths of it
        (0, 30, [2, 3, 4]),
        (9, 10, [2]),  # one base counts whole
        (10, 11, [3]),
        (8, 12, [2, 3]),  # half of the peak in either
        (7, 11, [2]),  # three quarters and one quarter of the peak
        (12, 12, []),  # no base
        (30, 40, []),  # beyond the last bin
    ],
)
def test_half_of_the_shorter(start: int, end: int, positive: list[int]):
    labels = label_bins(TILES, peaks_of(("a", start, end, "U", 1)))
    assert labels.dtype == np.int8
    assert labels.shape == (5, 2)
    assert np.flatnonzero(labels[:, 1]).tolist() == positive
    assert not labels[:, 0].any()


def test_an_overlap_that_is_exactly_the_fraction_counts_despite_rounding():
    bins = bins_of(("a", 0, 30))
    # 0.1 * 30 is 3.0000000000000004
    assert label_bins(bins, peaks_of(("a", 27, 90, "T", 1)), 0.1)[0, 0] == 1
    assert label_bins(bins, peaks_of(("a", 28, 90, "T", 1)), 0.1)[0, 0] == 0


def test_peaks_do_not_add_up():
    assert not label_bins(TILES, peaks_of(("a", -6, 4, "T", 1), ("a", 6, 16, "T", 1)))[2].any()


def test_weak_peaks_are_ignored_unless_a_strong_one_says_more():
    peaks = peaks_of(
        ("a", 12, 13, "T", 9), ("a", 13, 14, "T", 2), ("a", 2, 3, "T", 4.9), ("a", 22, 23, "T", 5), ("b", 2, 3, "U", 1)
    )
    labels = label_bins(TILES, peaks, positive_score=5)
    assert labels.tolist() == [[0, -1], [0, 0], [-1, 0], [1, 0], [1, 0]]
    # The order of the peaks does not matter.
    assert np.array_equal(label_bins(TILES, peaks.iloc[::-1], positive_score=5), labels)
    assert label_bins(TILES, peaks).min() == 0


def test_overlapping_bins_share_a_peak():
    bins = bins_of(("a", 0, 10), ("a", 5, 15), ("a", 10, 20))
    assert label_bins(bins, peaks_of(("a", 8, 9, "T", 1)))[:, 0].tolist() == [1, 1, 0]


def test_which_peaks_mark_a_bin():
    peaks = peaks_of(("a", 35, 36, "T", 1), ("b", 5, 6, "U", 1), ("a", 0, 0, "T", 1))
    assert marks_a_bin(TILES, peaks).tolist() == [False, True, False]


def test_no_peaks_and_no_bins():
    assert label_bins(TILES, peaks_of()).tolist() == [[0, 0]] * 5
    assert label_bins(TILES.iloc[:0], peaks_of(("a", 0, 9, "T", 1))).shape == (0, 2)


def test_refusals():
    one = peaks_of(("a", 0, 9, "T", np.nan))
    for fraction in (0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="min_overlap"):
            label_bins(TILES, one, fraction)
    with pytest.raises(ValueError, match="score"):
        label_bins(TILES, one, positive_score=1)
    with pytest.raises(ValueError, match="order of their categories"):
        label_bins(TILES.iloc[::-1], one)
    with pytest.raises(ValueError, match="rise along each contig"):
        label_bins(bins_of(("a", 0, 30), ("a", 5, 10)), one)
    with pytest.raises(ValueError, match="same contigs"):
        label_bins(TILES, one.assign(contig=one["contig"].cat.set_categories(["a"])))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    peaks=st.lists(
        st.tuples(st.sampled_from(CONTIGS), st.integers(0, 130), st.integers(1, 60), st.sampled_from(TARGETS)),
        min_size=1,
        max_size=25,
    ),
    width=st.integers(1, 30),
    stride=st.integers(1, 30),
    fraction=st.sampled_from([0.01, 0.25, 0.5, 0.75, 1.0]),
)
def test_labels_are_bedtools_intersect_with_either_fraction(peaks: list, width: int, stride: int, fraction: float):
    bins = bins_of(*((contig, start, start + width) for contig in CONTIGS for start in range(0, 100, stride)))
    table = peaks_of(*((contig, start, start + length, target, 1) for contig, start, length, target in peaks))
    labels = label_bins(bins, table, fraction)
    for column, target in enumerate(TARGETS):
        chosen = table[table["target"] == target]
        if chosen.empty:
            assert not labels[:, column].any()
            continue
        covering = pybedtools.BedTool.from_dataframe(chosen[["contig", "start", "end"]])
        hits = pybedtools.BedTool.from_dataframe(bins).intersect(covering, c=True, f=fraction, F=fraction, e=True)
        assert labels[:, column].tolist() == [int(int(hit[3]) > 0) for hit in hits]
