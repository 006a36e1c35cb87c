import time

import numpy as np
import pandas as pd
import pybedtools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.genome import labels as labels_module
from lociflow.genome.labels import LabelRule, class_labels, label_bins, marks_a_bin, position_classes

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
    assert label_bins(bins, peaks_of(("a", 27, 90, "T", 1)), LabelRule(0.1))[0, 0] == 1
    assert label_bins(bins, peaks_of(("a", 28, 90, "T", 1)), LabelRule(0.1))[0, 0] == 0


def test_peaks_do_not_add_up():
    assert not label_bins(TILES, peaks_of(("a", -6, 4, "T", 1), ("a", 6, 16, "T", 1)))[2].any()


def test_weak_peaks_are_ignored_unless_a_strong_one_says_more():
    peaks = peaks_of(
        ("a", 12, 13, "T", 9), ("a", 13, 14, "T", 2), ("a", 2, 3, "T", 4.9), ("a", 22, 23, "T", 5), ("b", 2, 3, "U", 1)
    )
    labels = label_bins(TILES, peaks, LabelRule(positive_score=5))
    assert labels.tolist() == [[0, -1], [0, 0], [-1, 0], [1, 0], [1, 0]]
    # The order of the peaks does not matter.
    assert np.array_equal(label_bins(TILES, peaks.iloc[::-1], LabelRule(positive_score=5)), labels)
    assert label_bins(TILES, peaks).min() == 0


def test_peaks_below_the_second_threshold_are_no_peaks():
    peaks = peaks_of(("a", 2, 3, "T", 1.9), ("a", 12, 13, "T", 2), ("a", 22, 23, "T", 4.9), ("b", 2, 3, "T", 5))
    assert label_bins(TILES, peaks, LabelRule(positive_score=5, ignore_score=2))[:, 0].tolist() == [1, 0, 0, -1, -1]
    # With equal thresholds nothing is in doubt.
    assert label_bins(TILES, peaks, LabelRule(positive_score=5, ignore_score=5))[:, 0].tolist() == [1, 0, 0, 0, 0]


def test_the_score_may_be_another_column():
    peaks = peaks_of(("a", 2, 3, "T", 9), ("a", 12, 13, "T", np.nan)).assign(q_value=[1.0, 3.0])
    rule = LabelRule(score="q_value", positive_score=2, ignore_score=0)
    assert label_bins(TILES, peaks, rule)[2:, 0].tolist() == [-1, 1, 0]


@pytest.mark.parametrize(
    ("start", "end", "ignore_overlap", "expected"),
    [
        (6, 20, None, [0, 1, 0]),
        (6, 20, 0.4, [-1, 1, 0]),
        (7, 20, 0.4, [0, 1, 0]),
        (9, 30, 0, [-1, 1, 1]),
        (10, 30, 0, [0, 1, 1]),
        (7, 11, 0.2, [1, -1, 0]),
    ],
)
def test_a_bin_that_is_covered_in_part_is_in_doubt(start: int, end: int, ignore_overlap: float, expected: list):
    labels = label_bins(TILES, peaks_of(("a", start, end, "T", 1)), LabelRule(ignore_overlap=ignore_overlap))
    assert labels[2:, 0].tolist() == expected


def test_a_positive_statement_outweighs_all_doubts():
    rule = LabelRule(ignore_overlap=0.1, positive_score=5, ignore_score=2)
    strong, weak, touching, no_peak = (
        ("a", 0, 9, "T", 5),
        ("a", 0, 9, "T", 3),
        ("a", 9, 19, "T", 9),
        ("a", 0, 9, "T", 1),
    )
    for peaks, first, second in (
        ([strong, weak, touching, no_peak], 1, 1),
        ([weak, no_peak], -1, 0),
        ([touching, no_peak], -1, 1),
        ([no_peak], 0, 0),
        ([("a", 9, 19, "T", 3)], -1, -1),
        ([("a", 9, 19, "T", 1)], 0, 0),
    ):
        assert label_bins(TILES, peaks_of(*peaks), rule)[2:4, 0].tolist() == [first, second]


def test_bins_may_hold_one_another():
    bins = bins_of(("a", 0, 100), ("a", 5, 10), ("a", 20, 30), ("a", 90, 110))
    assert label_bins(bins, peaks_of(("a", 8, 9, "T", 1), ("a", 92, 93, "U", 1))).tolist() == [
        [1, 1],
        [1, 0],
        [0, 0],
        [0, 1],
    ]


def test_a_bin_has_the_class_of_the_one_region_that_covers_it():
    bins = TILES
    regions = peaks_of(("b", 0, 5, "T", 1), ("a", 0, 10, "U", 1), ("a", 12, 15, "T", 1), ("a", 13, 20, "U", 1))
    labels = class_labels(bins, regions)
    assert labels.dtype == np.int16
    assert labels.tolist() == [[1], [0], [2], [-1], [0]]
    doubtful = class_labels(bins, peaks_of(("a", 0, 13, "U", 1), ("a", 8, 10, "T", 1)), LabelRule(0.8, 0.1))
    assert doubtful.tolist() == [[0], [0], [-1], [-1], [0]]
    assert class_labels(bins, peaks_of(("a", 0, 13, "U", 1)), LabelRule(0.8, 0.1)).tolist() == [
        [0],
        [0],
        [2],
        [-1],
        [0],
    ]
    empty = regions.iloc[:0]
    assert class_labels(bins, empty).tolist() == [[0]] * 5
    assert class_labels(bins, empty.assign(target=empty["target"].cat.set_categories([]))).tolist() == [[0]] * 5


def stranded(table: pd.DataFrame, strands: str) -> pd.DataFrame:
    return table.assign(strand=pd.Categorical(list(strands), categories=["-", ".", "+"]))


def test_each_base_has_the_last_class_that_covers_it_on_its_strand():
    regions = stranded(
        peaks_of(
            ("a", 2, 6, "U", 1), ("a", 0, 9, "T", 1), ("a", 4, 13, "T", 1), ("b", 0, 0, "U", 1), ("a", 9, 9, "T", 1)
        ),
        "+.-++",
    )
    bins = bins_of(("a", 0, 5), ("a", 0, 5), ("a", 0, 5), ("a", 8, 13))
    labels = position_classes(stranded(bins, "+-.-"), regions)
    assert labels.dtype == np.int8
    assert labels.shape == (4, 5, 1)
    assert labels[..., 0].tolist() == [[1, 1, 2, 2, 2], [1] * 5, [1, 1, 2, 2, 2], [1] * 5]
    assert position_classes(stranded(bins.iloc[3:], "+"), regions)[0, :, 0].tolist() == [1, 0, 0, 0, 0]
    assert position_classes(stranded(bins.iloc[:0], ""), regions).shape == (0, 0, 1)
    with pytest.raises(ValueError, match="one length"):
        position_classes(stranded(bins_of(("a", 0, 5), ("a", 0, 6)), ".."), regions)


def test_a_stranded_bin_takes_the_peaks_of_its_strand_and_of_none():
    bins = stranded(bins_of(("a", 0, 10), ("a", 0, 10), ("a", 0, 10), ("a", 10, 20)), "+-.+")
    plus, minus, none = (
        stranded(peaks_of(("a", 0, 10, "T", 1), ("a", 12, 14, "U", 1)), strand * 2) for strand in "+-."
    )
    assert label_bins(bins, plus).tolist() == [[1, 0], [0, 0], [1, 0], [0, 1]]
    assert label_bins(bins, minus).tolist() == [[0, 0], [1, 0], [1, 0], [0, 0]]
    assert label_bins(bins, none).tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]
    assert class_labels(bins, minus)[:, 0].tolist() == [0, 1, 1, 0]
    assert marks_a_bin(bins.iloc[:1], minus).tolist() == [False, False]
    # A table that does not know strands has none.
    assert label_bins(bins.drop(columns="strand"), minus).tolist() == [[1, 0]] * 3 + [[0, 1]]
    doubtful = LabelRule(0.5, 0.1)
    assert label_bins(bins, stranded(peaks_of(("a", 8, 30, "T", 1)), "-"), doubtful)[:, 0].tolist() == [0, -1, -1, 0]


@pytest.mark.parametrize("rows", [1, 7, 1 << 20])
def test_contigs_that_are_looked_up_together_change_nothing(monkeypatch: pytest.MonkeyPatch, rows: int):
    draws = np.random.default_rng(3)
    names = [f"s{number}" for number in range(40)]

    def table(number: int, longest: int) -> pd.DataFrame:
        start = draws.integers(0, 60, number)
        contig = pd.Categorical.from_codes(draws.integers(0, 40, number), names)
        frame = pd.DataFrame({"contig": contig, "start": start, "end": start + draws.integers(1, longest, number)})
        return frame.assign(target=pd.Categorical(draws.choice(TARGETS, number), categories=TARGETS))

    bins, peaks = table(200, 30).sort_values(["contig", "start"]), table(150, 20)
    monkeypatch.setattr(labels_module, "_ROWS", rows)
    found = label_bins(bins, peaks)
    expected = np.zeros_like(found)
    for row, bin in enumerate(bins.itertuples()):
        for peak in peaks[peaks["contig"] == bin.contig].itertuples():
            shared = min(bin.end, peak.end) - max(bin.start, peak.start)
            if shared >= 0.5 * min(bin.end - bin.start, peak.end - peak.start):
                expected[row, TARGETS.index(peak.target)] = 1
    assert found.tolist() == expected.tolist()


def test_a_hundred_thousand_scaffolds_take_seconds():
    names = pd.CategoricalDtype([f"scaffold{number}" for number in range(100_000)])
    contig = pd.Categorical.from_codes(np.arange(100_000), dtype=names)
    bins = pd.DataFrame({"contig": contig, "start": 0, "end": 200})
    peaks = bins.assign(target=pd.Categorical(["T"] * len(bins)))
    started = time.perf_counter()
    assert label_bins(bins, peaks).all()
    assert time.perf_counter() - started < 3


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
            label_bins(TILES, one, LabelRule(fraction))
    with pytest.raises(ValueError, match="score"):
        label_bins(TILES, one, LabelRule(positive_score=1))
    with pytest.raises(ValueError, match="order of their categories"):
        label_bins(TILES.iloc[::-1], one)
    with pytest.raises(ValueError, match="rise along each contig"):
        label_bins(bins_of(("a", 5, 30), ("a", 0, 10)), one)
    for rule in (LabelRule(ignore_overlap=0.5), LabelRule(ignore_overlap=-0.1)):
        with pytest.raises(ValueError, match="ignore_overlap"):
            label_bins(TILES, one, rule)
    for rule in (LabelRule(ignore_score=1), LabelRule(positive_score=1, ignore_score=2)):
        with pytest.raises(ValueError, match="ignore_score"):
            label_bins(TILES, one, rule)
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
    labels = label_bins(bins, table, LabelRule(fraction))
    for column, target in enumerate(TARGETS):
        expected = hit_by_bedtools(bins, table[table["target"] == target], fraction)
        assert labels[:, column].tolist() == expected.astype(int).tolist()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    regions=st.lists(
        st.tuples(st.sampled_from(CONTIGS), st.integers(0, 130), st.integers(1, 60), st.sampled_from(TARGETS)),
        min_size=1,
        max_size=12,
    ),
    width=st.integers(1, 30),
    stride=st.integers(1, 30),
    fraction=st.sampled_from([0.25, 0.5, 1.0]),
    doubt=st.sampled_from([None, 0.125]),
)
def test_classes_are_bedtools_intersects(regions: list, width: int, stride: int, fraction: float, doubt: float | None):
    bins = bins_of(*((contig, start, start + width) for contig in CONTIGS for start in range(0, 100, stride)))
    table = peaks_of(*((contig, start, start + length, target, 1) for contig, start, length, target in regions))
    covered = np.array([hit_by_bedtools(bins, table[table["target"] == target], fraction) for target in TARGETS])
    touched = np.array([hit_by_bedtools(bins, table[table["target"] == target], doubt or 1) for target in TARGETS])
    expected = []
    for sure, perhaps in zip(covered.T, touched.T, strict=True):
        if sure.sum() == 1:
            expected.append([1 + int(sure.argmax())])
        else:
            expected.append([-1 if sure.any() or (doubt and perhaps.any()) else 0])
    assert class_labels(bins, table, LabelRule(fraction, doubt)).tolist() == expected


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    regions=st.lists(
        st.tuples(
            st.sampled_from(CONTIGS),
            st.integers(0, 60),
            st.integers(1, 60),
            st.sampled_from(TARGETS),
            st.sampled_from("+-."),
        ),
        min_size=1,
        max_size=8,
    ),
    width=st.integers(1, 12),
    stride=st.integers(1, 30),
    strand=st.sampled_from("+-."),
)
def test_classes_of_bases_are_bedtools_intersects(regions: list, width: int, stride: int, strand: str):
    bins = bins_of(*((contig, start, start + width) for contig in CONTIGS for start in range(0, 60, stride)))
    table = peaks_of(*((contig, start, start + length, target, 1) for contig, start, length, target, _ in regions))
    table = stranded(table, "".join(region[-1] for region in regions))
    found = position_classes(stranded(bins, strand * len(bins)), table)
    bases = pd.DataFrame(
        [(row.contig, base, base + 1) for row in bins.itertuples() for base in range(row.start, row.end)],
        columns=["contig", "start", "end"],
    )
    held = (table["strand"] == ".") | (strand == ".") | (table["strand"] == strand)
    expected = np.zeros(len(bases), np.int8)
    for code, target in enumerate(TARGETS, start=1):
        expected[hit_by_bedtools(bases, table[held & (table["target"] == target)], 1)] = code
    assert found[..., 0].ravel().tolist() == expected.tolist()


def hit_by_bedtools(bins: pd.DataFrame, regions: pd.DataFrame, fraction: float) -> np.ndarray:
    if regions.empty:
        return np.zeros(len(bins), dtype=bool)
    covering = pybedtools.BedTool.from_dataframe(regions[["contig", "start", "end"]])
    hits = pybedtools.BedTool.from_dataframe(bins).intersect(covering, c=True, f=fraction, F=fraction, e=True)
    return np.array([int(hit[3]) > 0 for hit in hits])
