import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_files import CONTIGS, write_bam, write_bigwig

from lociflow.command import UserError
from lociflow.genome.signal import TrackSettings, open_track, track_format
from lociflow.genome.signal_reads import ReadSettings
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store

LENGTHS = {name: len(letters) for name, letters in CONTIGS.items()}
INTERVALS = [("b", 2, 5, 1.5), ("b", 7, 8, -2.0), ("a", 0, 20, 3.0)]
ZERO = TrackSettings(missing_contigs="zero")


def text(path: Path, *lines: str) -> Path:
    content = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def bed_graph(path: Path, intervals=INTERVALS, separator: str = "\t") -> Path:
    return text(path, *(separator.join(map(str, interval)) for interval in intervals))


@pytest.fixture(params=["x.bw", "x.bg", "x.bedGraph.gz", "spaces.bedgraph"])
def same(request, tmp_path: Path) -> Path:
    if request.param == "x.bw":
        return write_bigwig(tmp_path / request.param, LENGTHS, INTERVALS)
    return bed_graph(tmp_path / request.param, separator=" " if request.param.startswith("spaces") else "\t")


def test_a_bigwig_and_a_bedgraph_give_the_same_values(same: Path, store_of):
    track = open_track(same, store_of(CONTIGS), {})
    assert track.read(0, 0, 10).tolist() == [0, 0, 1.5, 1.5, 1.5, 0, 0, -2, 0, 0]
    assert track.read(0, 4, 8).tolist() == [1.5, 0, 0, -2]
    assert track.read(1, 18, 20).tolist() == [3, 3]
    assert track.total == 3 * 1.5 - 2 + 20 * 3
    assert track.least == -2
    assert track.counts["negative"] == 1
    assert track.counts["file"] == same.name


def test_what_a_track_says_nothing_about_can_be_unknown(same: Path, store_of):
    track = open_track(same, store_of(CONTIGS), {}, TrackSettings(missing="nan"))
    assert np.isnan(track.read(0, 0, 10)).tolist() == [True] * 2 + [False] * 3 + [True] * 2 + [False] + [True] * 2


def test_names_of_contigs_go_through_the_aliases(tmp_path: Path, store_of):
    intervals = [("1", 0, 2, 1.0), ("MT", 0, 3, 5.0)]
    store = store_of({"chr1": "ACGT"})
    for path in (
        write_bigwig(tmp_path / "x.bw", {"1": 4, "MT": 10}, intervals),
        bed_graph(tmp_path / "x.bg", intervals),
    ):
        track = open_track(path, store, {"1": "chr1", "MT": None})
        assert track.read(0, 0, 4).tolist() == [1, 1, 0, 0]
        assert track.total == 2
        assert track.counts["dropped"]["excluded_contig"] > 0
        with pytest.raises(UserError, match=r"the genome has no contig 1, MT.*contig_aliases: {1: chr1, MT: null}"):
            open_track(path, store, {})
        with pytest.raises(UserError, match="found the contigs 1 and MT for chr1, expected one"):
            # A bedGraph's contigs are merged into one table first; a bigWig's headers are compared.
            open_track(tmp_path / "x.bw", store, {"1": "chr1", "MT": "chr1"})


def test_a_contig_that_the_track_lacks_is_refused_unless_the_configuration_says_what_is_there(tmp_path: Path, store_of):
    store = store_of(CONTIGS)
    for path in (
        write_bigwig(tmp_path / "x.bw", {"b": 40}, INTERVALS[:2]),
        bed_graph(tmp_path / "x.bg", INTERVALS[:2]),
        text(tmp_path / "x.bed", "b\t0\t9"),
        write_bam(tmp_path / "x.bam", {"b": 40}, [("s", 0, "b", 0, "5M")]),
    ):
        with pytest.raises(UserError, match=r"has no data for a of the genome's 2 contigs.*missing_contigs"):
            open_track(path, store, {})
        zero = open_track(path, store, {}, ZERO)
        assert zero.read(1, 0, 20).tolist() == [0] * 20
        assert zero.counts["contigs_without_data"] == ["a"]
        unknown = open_track(path, store, {}, TrackSettings(missing_contigs="nan"))
        assert np.isnan(unknown.read(1, 0, 20)).all()
        assert not np.isnan(unknown.read(0, 0, 20)).any()


def test_a_bigwig_of_another_assembly_is_refused(tmp_path: Path, store_of):
    path = write_bigwig(tmp_path / "x.bw", {"b": 41, "a": 20}, INTERVALS)
    with pytest.raises(UserError, match=r"found 41 bases for contig b, expected 40 as in toy; .* another assembly"):
        open_track(path, store_of(CONTIGS), {})


def test_a_bedgraph_of_another_assembly_is_refused(tmp_path: Path, store_of):
    path = bed_graph(tmp_path / "x.bg", [("b", 40, 41, 1.0)])
    with pytest.raises(UserError, match="begin beyond their contig's end"):
        open_track(path, store_of(CONTIGS), {}, ZERO)


def test_the_magnitude_of_a_minus_strand_is_taken_and_counted(tmp_path: Path, store_of):
    negative = [("b", 2, 5, -1.5), ("a", 1, 2, -0.5)]
    minus = TrackSettings(magnitude=True)
    store = store_of(CONTIGS)
    for path in (write_bigwig(tmp_path / "x.bw", LENGTHS, negative), bed_graph(tmp_path / "x.bg", negative)):
        track = open_track(path, store, {}, minus)
        assert track.read(0, 1, 6).tolist() == [0, 1.5, 1.5, 1.5, 0]
        assert track.total == 5
        assert track.least == 0.5
        assert track.counts["negative"] == (4 if path.suffix == ".bw" else 2)
    for path in (write_bigwig(tmp_path / "y.bw", LENGTHS, INTERVALS), bed_graph(tmp_path / "y.bg")):
        with pytest.raises(UserError, match=r"found values from -2 to 3 in the track of a minus strand"):
            open_track(path, store, {}, minus)


def test_unsorted_intervals_are_sorted_and_overlapping_ones_named_by_their_line(tmp_path: Path, store_of):
    store = store_of(CONTIGS)
    track = open_track(bed_graph(tmp_path / "x.bg", INTERVALS[::-1]), store, {})
    assert track.read(0, 0, 6).tolist() == [0, 0, 1.5, 1.5, 1.5, 0]
    path = text(tmp_path / "y.bg", "#", "b 7 9 1", "b 2 5 1", "b 8 10 1")
    with pytest.raises(UserError, match=r"y\.bg, line 4: found an interval b:8-10 that overlaps the one before it"):
        open_track(path, store, {}, ZERO)
    path = text(tmp_path / "z.bg", "1 2 5 1", "1 2 5 1")
    with pytest.raises(UserError, match=r"z\.bg, line 2: found an interval b:2-5 that overlaps"):
        open_track(path, store, {"1": "b"}, ZERO)


@pytest.mark.parametrize("value", ["inf", "."])
def test_a_value_that_is_no_finite_number_is_refused(tmp_path: Path, store_of, value: str):
    with pytest.raises(UserError, match=r"x\.bg"):
        open_track(text(tmp_path / "x.bg", f"b 0 1 {value}"), store_of(CONTIGS), {}, ZERO)


def test_fragments_with_a_strand_are_reads(tmp_path: Path, store_of):
    path = text(tmp_path / "x.bed", "b\t2\t9\tr\t0\t+", "b\t2\t9\tr\t0\t-", "b\t2\t9\tr\t0\t.")
    cuts = TrackSettings(ReadSettings("cut_sites"), missing_contigs="zero")
    assert open_track(path, store_of(CONTIGS), {}, cuts).read(0, 0, 10).tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 2, 0]


def test_both_kinds_of_bedpe_are_fragments(tmp_path: Path, store_of):
    store = store_of(CONTIGS)
    macs = open_track(text(tmp_path / "x.bedpe", "b\t2\t9"), store, {}, ZERO)
    pairs = open_track(text(tmp_path / "y.bedpe", "b\t2\t4\tb\t7\t9\tp\t1\t+\t-"), store, {}, ZERO)
    assert macs.read(0, 0, 12).tolist() == pairs.read(0, 0, 12).tolist() == [0] * 2 + [1] * 7 + [0] * 3


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("x.bedGraph", ["b 0 1 2"], "bedgraph"),
        ("x.BG.gz", ["b 0 1 2"], "bedgraph"),
        ("x.txt", ["track type=bedGraph name=x", "b 0 1 2"], "bedgraph"),
        ("x.bdg", ["b 0 1 x"], "bedgraph"),
        ("x.BDG.gz", ["b 0 1 2"], "bedgraph"),
        ("x.bed", ["b\t0\t1\t2"], "bedgraph"),
        ("x.txt", ["b 0 1 1e-3", "b 1 2 -4"], "bedgraph"),
        ("x.bed", ["b\t0\t1\tread1", "b\t0\t1\tread2"], "fragments"),
        ("x.bed", ["b\t0\t1"], "fragments"),
        ("x.tsv.gz", ["b\t0\t1\tACGT-1\t2"], "fragments"),
    ],
)
def test_text_is_told_by_its_suffix_track_line_or_columns(tmp_path: Path, name: str, lines: list[str], expected: str):
    assert track_format(text(tmp_path / name, *lines)) == expected


def test_numbers_among_names_are_neither_values_nor_names(tmp_path: Path):
    path = text(tmp_path / "x.txt", "b 0 1 2", "b 1 2 NA")
    with pytest.raises(UserError, match=r"x\.txt: found both numbers and 'NA' in column 4, .*; name a bedGraph"):
        track_format(path)


def test_a_bedgraph_under_another_name_has_the_same_values(tmp_path: Path, store_of):
    lines = ["b\t0\t4\t2.5", "b\t6\t9\t1"]
    graph, named = (
        open_track(text(tmp_path / name, *lines), store_of(CONTIGS), {}, ZERO) for name in ("x.bdg", "x.txt")
    )
    assert graph.read(0, 0, 12).tolist() == named.read(0, 0, 12).tolist() == [2.5] * 4 + [0] * 2 + [1] * 3 + [0] * 3


def test_a_long_bedgraph_is_told_although_its_head_is_cut(tmp_path: Path):
    path = text(tmp_path / "x.txt", *(f"b\t{start}\t{start + 1}\t{start}.5e+3" for start in range(10_000)))
    assert track_format(path) == "bedgraph"


def test_binary_files_are_told_by_their_content(tmp_path: Path):
    assert track_format(write_bigwig(tmp_path / "x.bed", LENGTHS, INTERVALS)) == "bigwig"
    assert track_format(write_bam(tmp_path / "y.bed", LENGTHS, [])) == "bam"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"CRAM\x03\x00", "found a CRAM, expected .* samtools view -b"),
        (b"\xeb\xf2\x89\x87rest", "found a bigBed, expected .* bigBedToBed"),
        (b"\x1f\x8b\x08broken", "broken gzip"),
        (b"\x26\xfc\x8f\x88broken", "a broken or incomplete bigWig"),
        (b"<html>not found</html>\n", "line 1"),
    ],
)
def test_what_is_no_track_is_told_apart(tmp_path: Path, store_of, content: bytes, message: str):
    path = tmp_path / "track"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        open_track(path, store_of(CONTIGS), {})


@pytest.mark.parametrize("place", [8, 16, 24, 44, 52, 80])
def test_a_bigwig_whose_header_points_outside_of_it_is_refused(tmp_path: Path, store_of, place: int):
    # At these places: trees of contigs, data, index, summary, size of a buffer, index of the first zoom level.
    path = write_bigwig(tmp_path / "x.bw", LENGTHS, INTERVALS)
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(content)
    with pytest.raises(UserError, match="broken or incomplete bigWig"):
        open_track(path, store_of(CONTIGS), {})


@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
def test_a_bigwig_that_is_broken_off_is_refused(tmp_path: Path, store_of, share: float):
    path = write_bigwig(tmp_path / "x.bw", LENGTHS, INTERVALS)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UserError, match="broken or incomplete bigWig"):
        open_track(path, store_of(CONTIGS), {})


def test_peaks_and_missing_files_are_refused(tmp_path: Path, store_of):
    with pytest.raises(UserError, match=r"found a narrowPeak.*targets\.files"):
        open_track(text(tmp_path / "x.narrowPeak", "b\t0\t9\tp\t0\t.\t1\t2\t3\t4"), store_of(CONTIGS), {})
    with pytest.raises(UserError, match=r"nothing\.bw: cannot be read"):
        open_track(tmp_path / "nothing.bw", store_of(CONTIGS), {})


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=80).map(lambda rest: b"\x26\xfc\x8f\x88\x04\x00" + rest)
    | st.binary(max_size=80).map(lambda rest: gzip.compress(b"BAM\x01" + rest)),
    st.sampled_from(["x.bg", "x.bw", "x.bed", "x.bam"]),
)
def test_random_bytes_are_read_or_refused(tmp_path_factory, content: bytes, name: str):
    folder = tmp_path_factory.mktemp("random")
    (folder / "genome.fa").write_text("".join(f">{contig}\n{letters}\n" for contig, letters in CONTIGS.items()))
    write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "toy")
    (folder / name).write_bytes(content)
    try:
        track = open_track(folder / name, open_store(folder / "store.json"), {}, ZERO)
    except UserError:
        return
    assert np.isfinite(track.read(0, 0, 40)).all()
