from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_files import CONTIGS, write_bigwig

from lociflow.command import UserError
from lociflow.genome import signal_labels as module
from lociflow.genome.signal_labels import apply_zscore, fit_zscore, signal_labels

LENGTHS = {name: len(letters) for name, letters in CONTIGS.items()}
PLUS = [("b", 0, 4, 1.0), ("b", 6, 8, 3.0), ("a", 0, 20, 2.0)]
MINUS = [("b", 2, 4, -5.0), ("a", 19, 20, -1.0)]
INPUT = [("b", 0, 40, 0.5), ("a", 0, 20, 0.25)]
REAL = {"kind": "real"}
PROFILE = {"kind": "profile"}


def bins_of(contig: str, *places: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "contig": pd.Categorical([contig] * len(places), categories=list(CONTIGS)),
            "start": [start for start, _ in places],
            "end": [end for _, end in places],
            "strand": pd.Categorical(["."] * len(places)),
        }
    )


TILES = bins_of("b", (0, 4), (4, 8), (8, 12))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, intervals in {"plus": PLUS, "minus": MINUS, "input": INPUT}.items():
        write_bigwig(tmp_path / f"{name}.bw", LENGTHS, intervals)
    (tmp_path / "peaks.bed").write_text("b\t6\t8\tp\t7\t-\na\t1\t3\tq\t8\t+\n")
    return tmp_path


@pytest.fixture
def labels_of(sources: Path, store_of):
    store = store_of(CONTIGS)

    def make(labels: dict, **config):
        config = {"tracks": {"t": {"file": "plus.bw"}}, **config}
        return signal_labels(config, labels, sources, store, {})

    return make


STRANDS = {"t": {"plus": {"file": "plus.bw"}, "minus": {"file": "minus.bw"}}}


@pytest.mark.parametrize(("aggregate", "expected"), [("sum", [4, 6, 0]), ("mean", [1, 1.5, 0]), ("max", [1, 3, 0])])
def test_values_of_a_bin_are_taken_together(labels_of, aggregate: str, expected: list[float]):
    found = labels_of(REAL, aggregate=aggregate)
    labels = found.label(TILES)
    assert labels.dtype == np.float32
    assert labels.tolist() == [[value] for value in expected]
    assert (found.names, found.kind, found.reverse, found.control, found.standardise) == (
        ["t"],
        "real",
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    ("aggregate", "expected"), [("sum", [4, 6, np.nan]), ("mean", [1, 3, np.nan]), ("max", [1, 3, np.nan])]
)
def test_unknown_bases_are_left_out_and_bins_without_a_known_one_are_missing(labels_of, aggregate, expected):
    labels = labels_of(REAL, aggregate=aggregate, missing="nan").label(TILES)
    np.testing.assert_array_equal(labels[:, 0], np.array(expected, np.float32))


def test_a_profile_has_a_value_for_every_base_of_every_target(labels_of):
    labels = labels_of(PROFILE, tracks=STRANDS).label(bins_of("b", (0, 4), (3, 7)))
    assert labels.dtype == np.float32
    assert labels[..., 0].tolist() == [[1, 1, 1, 1], [1, 0, 0, 3]]
    assert labels[..., 1].tolist() == [[0, 0, 5, 5], [5, 0, 0, 0]]


def test_the_strands_of_a_pair_are_two_targets_that_swap(labels_of):
    tracks = {"one": {"file": "plus.bw"}, **STRANDS, "two": {"file": "input.bw"}}
    found = labels_of(REAL, tracks=tracks, aggregate="sum")
    assert found.names == ["one", "t.plus", "t.minus", "two"]
    assert found.reverse == [0, 2, 1, 3]
    assert found.label(TILES).tolist() == [[4, 4, 10, 2], [6, 6, 0, 2], [0, 0, 0, 2]]
    assert [file["negative"] for file in found.counts["files"]] == [0, 0, 3, 0]


def test_counts_per_million_divide_by_both_strands(labels_of):
    total = 4 + 6 + 40 + 10 + 1
    labels = labels_of(REAL, tracks=STRANDS, aggregate="sum", normalise=["cpm"]).label(TILES)
    np.testing.assert_allclose(labels[0], [4e6 / total, 10e6 / total], rtol=1e-6)
    logs = labels_of(REAL, tracks=STRANDS, aggregate="sum", normalise=["cpm", "log1p"]).label(TILES)
    np.testing.assert_allclose(logs, np.log1p(labels), rtol=1e-6)


def test_the_logarithm_is_of_the_aggregate_and_of_each_base_of_a_profile(labels_of):
    labels = labels_of(REAL, aggregate="sum", normalise=["counts", "log1p"]).label(TILES)
    np.testing.assert_allclose(labels[:, 0], np.log1p([4, 6, 0]), rtol=1e-6)
    profile = labels_of(PROFILE, normalise=["log1p"]).label(TILES)
    np.testing.assert_allclose(profile[1, :, 0], np.log1p([0, 0, 3, 3]), rtol=1e-6)


def test_a_control_has_the_shape_of_the_targets_and_an_unstranded_one_serves_both_strands(labels_of):
    for control in ({"file": "input.bw"}, {"t": {"file": "input.bw"}}):
        found = labels_of(PROFILE, tracks=STRANDS, control=control)
        assert found.control(TILES).tolist() == [[[0.5, 0.5]] * 4] * 3
        assert [file["control"] for file in found.counts["files"]] == [False, False, True]
    swapped = {"plus": {"file": "input.bw"}, "minus": {"file": "minus.bw"}}
    found = labels_of(REAL, tracks=STRANDS, control=swapped, aggregate="sum")
    assert found.control(TILES).tolist() == [[2, 10], [2, 0], [2, 0]]


def test_bins_can_be_centred_on_regions(labels_of):
    found = labels_of(REAL, anchors={"file": "peaks.bed"})
    assert found.anchors[["contig", "start", "end", "strand", "score"]].astype(str).to_numpy().tolist() == [
        ["b", "6", "8", "-", "7.0"],
        ["a", "1", "3", "+", "8.0"],
    ]
    assert labels_of(REAL).anchors.empty
    assert list(labels_of(REAL).anchors["contig"].cat.categories) == list(CONTIGS)


@pytest.mark.parametrize("missing", ["zero", "nan"])
@settings(max_examples=40, deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 39), st.integers(1, 40)), min_size=1, max_size=12))
def test_any_bins_in_any_blocks_as_base_by_base(tmp_path_factory, missing: str, places):
    # Bins overlap, hold one another, lie far apart; what is read at once must not matter.
    values = np.array([np.nan, 2.0, 2.0, np.nan, -1.0, 0.0, 7.0, 7.0, np.nan, np.nan] * 4)
    places = sorted((start, min(40, start + length)) for start, length in places)
    bins = bins_of("b", *places)
    known = np.nan_to_num(values) if missing == "zero" else values
    track = module.SignalTrack(Path("x"), lambda contig, start, end: known[start:end].copy(), 1.0, 0.0, {})
    for aggregate, function in (("sum", np.sum), ("mean", np.mean), ("max", np.max)):
        expected = []
        for start, end in places:
            piece = known[start:end][~np.isnan(known[start:end])]
            expected.append(function(piece) if len(piece) else np.nan)
        target = module.SignalTarget("t", track, 1.0)
        rule = module.ValueRule("real", aggregate, False)
        for gap, block in ((0, 1), (3, 15), (100, 1000)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, "GAP", gap)
                patch.setattr(module, "BLOCK", block)
                labels = module.label_signal(bins, [target], rule)
            np.testing.assert_allclose(labels[:, 0], expected, rtol=1e-6)


def test_the_mean_is_that_of_bedtools_map(sources: Path, labels_of):
    draws = np.random.default_rng(3)
    edges = np.sort(draws.choice(41, 20, replace=False))
    values = draws.integers(1, 9, 10)
    intervals = [("b", int(a), int(b), float(v)) for a, b, v in zip(edges[::2], edges[1::2], values, strict=True)]
    write_bigwig(sources / "plus.bw", LENGTHS, [*intervals, ("a", 0, 1, 1.0)])
    bins = bins_of("b", *((start, start + 7) for start in range(0, 33)))
    labels = labels_of(REAL, aggregate="sum").label(bins)
    bases = [f"{c}\t{base}\t{base + 1}\t.\t{v}" for c, s, e, v in intervals for base in range(s, e)]
    windows = [f"b\t{start}\t{end}" for start, end in zip(bins["start"], bins["end"], strict=True)]
    mapped = pybedtools.BedTool("\n".join(windows), from_string=True).map(
        pybedtools.BedTool("\n".join(bases), from_string=True), c=5, o="sum", null=0
    )
    expected = [float(line.split("\t")[3]) for line in Path(mapped.fn).read_text().splitlines()]
    assert labels[:, 0].tolist() == expected


def test_the_zscore_is_fitted_on_the_rows_given_and_leaves_what_is_missing(labels_of):
    assert labels_of(REAL, normalise=["zscore"]).standardise
    array = np.array([[1, 5, np.nan], [3, 5, np.nan], [np.nan, 5, np.nan], [9, 6, 1]], dtype=np.float32)
    mean, deviation = fit_zscore(array, np.array([2, 0, 1]))
    np.testing.assert_array_equal(mean, [2, 5, np.nan])
    assert deviation.tolist() == [1, 1, 1]
    apply_zscore(array, mean, deviation)
    np.testing.assert_array_equal(array[:, 0], np.array([-1, 1, np.nan, 7], np.float32))
    np.testing.assert_array_equal(array[:, 1], np.array([0, 0, 0, 1], np.float32))


def test_the_strands_of_a_pair_share_their_zscore():
    array = np.array([[1, 5, 10], [3, 7, 20]], dtype=np.float32)
    mean, deviation = fit_zscore(array, np.arange(2), reverse=[1, 0, 2])
    assert mean.tolist() == [4, 4, 15]
    np.testing.assert_allclose(deviation, [np.std([1, 3, 5, 7])] * 2 + [5])


def test_the_zscore_in_blocks_on_a_memory_map_is_that_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    draws = np.random.default_rng(0)
    values = draws.normal(5, 3, (101, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", values)
    array = np.load(tmp_path / "x.npy", mmap_mode="r+")
    monkeypatch.setattr(module, "BLOCK", 30)
    rows = np.arange(0, 101, 2)
    mean, deviation = fit_zscore(array, rows)
    np.testing.assert_allclose(mean, values[rows].mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(deviation, values[rows].std(axis=0, dtype=np.float64))
    apply_zscore(array, mean, deviation)
    np.testing.assert_allclose(array[rows].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(array[rows].std(axis=0), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "config", "message"),
    [
        (REAL, {"trakcs": 1}, r"targets\.signal: found the key 'trakcs'.*did you mean tracks"),
        ({"kind": "binary"}, {}, r"labels\.kind: found 'binary', expected real or profile"),
        ({"min_overlap": 0.5}, {}, r"labels: found the key 'min_overlap'"),
        (REAL, {"tracks": {}}, r"targets\.signal\.tracks: found {}"),
        (REAL, {"tracks": {"file": "plus.bw"}}, "expected a mapping from names to files"),
        (REAL, {"tracks": {"t": {"plus": {"file": "plus.bw"}}}}, r"tracks\.t: found .*plus and minus"),
        (REAL, {"tracks": {"t": {"plus": {"plus": 1, "minus": 2}, "minus": {"file": "x"}}}}, r"tracks\.t\.plus"),
        (REAL, {"tracks": {"t\t": {"file": "plus.bw"}}}, "without tabs"),
        (REAL, {"tracks": {**STRANDS, "t.plus": {"file": "plus.bw"}}}, r"the target t\.plus twice"),
        (REAL, {"reads": "cuts"}, r"reads: found 'cuts', expected one of coverage, cut_sites"),
        (REAL, {"shift": [4, -5]}, "found it with reads: coverage"),
        (REAL, {"reads": "cut_sites", "shift": [4]}, r"shift: found \[4\]"),
        (REAL, {"reads": "cut_sites", "shift": [True, 1]}, "two whole numbers"),
        (REAL, {"min_mapq": -1}, "min_mapq: found -1"),
        (REAL, {"aggregate": "median"}, "expected mean, sum or max"),
        (PROFILE, {"aggregate": "sum"}, "labels.kind profile, which has a value for every base"),
        (REAL, {"normalise": "cpm"}, "normalise: found 'cpm', expected a list"),
        (REAL, {"normalise": ["log2"]}, "expected a list of counts, cpm, log1p, zscore"),
        (REAL, {"normalise": ["log1p", "cpm"]}, "in the order counts, cpm, log1p, zscore"),
        (PROFILE, {"normalise": ["zscore"]}, "expected it with kind real only"),
        (REAL, {"missing": 0}, "missing: found 0"),
        (REAL, {"missing_contigs": True}, "missing_contigs: found True"),
        (REAL, {"control": {"other": {"file": "input.bw"}}}, "found the names other, expected those of"),
        (REAL, {"control": {"plus": {"file": "x"}, "minus": {"file": "y"}}}, "found a pair of strands for t"),
        (REAL, {"anchors": {"plus": {"file": "x"}, "minus": {"file": "y"}}}, "anchors: found a pair"),
        (REAL, {"tracks": {"t": {"file": "minus.bw"}}, "normalise": ["log1p"]}, r"found the value -5, .*log1p"),
        (REAL, {"tracks": {"t": {"file": "nothing.bw"}}}, "cannot be read"),
    ],
)
def test_mistakes_in_the_configuration_are_told(labels_of, labels: dict, config: dict, message: str):
    with pytest.raises(UserError, match=message):
        labels_of(labels, **config)


def test_a_track_without_any_signal_is_refused_unless_allowed(sources: Path, labels_of):
    (sources / "empty.bg").write_text("b 0 40 0\na 0 20 0\n")
    tracks = {"t": {"file": "empty.bg"}}
    with pytest.raises(UserError, match=r"empty\.bg: found no signal on the genome for t"):
        labels_of(REAL, tracks=tracks)
    found = labels_of({"kind": "real", "allow_empty_targets": True}, tracks=tracks, normalise=["cpm"])
    assert not found.label(TILES).any()


def test_a_profile_needs_bins_of_one_length(labels_of):
    with pytest.raises(UserError, match="found bins of 4 and 5 bases, expected one length"):
        labels_of(PROFILE).label(bins_of("b", (0, 4), (4, 9)))


def test_no_bins_give_no_labels(labels_of):
    assert labels_of(REAL).label(TILES.iloc[:0]).shape == (0, 1)
