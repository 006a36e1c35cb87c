from pathlib import Path

import numpy as np
import pybedtools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_files import CONTIGS, write_bam

from lociflow.command import UserError
from lociflow.genome.signal import TrackSettings, open_track
from lociflow.genome.signal_reads import Reads, ReadSettings, pile_up, read_steps, steps_of

LENGTHS = {name: len(letters) for name, letters in CONTIGS.items()}
CUTS = ReadSettings("cut_sites", (0, 0))


def reads_of(*rows: tuple[int, int, int, str]) -> Reads:
    table = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3)
    return Reads(
        table[:, 0],
        table[:, 1],
        table[:, 2],
        np.array([row[3] != "-" for row in rows], dtype=bool),
        np.array([row[3] != "+" for row in rows], dtype=bool),
    )


def whole(steps, lengths) -> list[list[float]]:
    return [read_steps(steps, contig, 0, length, 0.0).tolist() for contig, length in enumerate(lengths)]


def test_coverage_and_cut_sites_of_three_reads():
    reads = reads_of((0, 1, 4, "."), (0, 3, 5, "+"), (1, 0, 2, "-"))
    lengths = np.array([6, 3])
    steps, total, _ = pile_up(reads, ReadSettings("coverage"), (4, -5), lengths)
    assert whole(steps, lengths) == [[0, 1, 1, 2, 1, 0], [1, 1, 0]]
    assert total == 3
    steps, total, beyond = pile_up(reads, CUTS, (4, -5), lengths)
    assert whole(steps, lengths) == [[0, 1, 0, 2, 0, 0], [0, 1, 0]]
    assert (total, beyond) == (4, 0)


def test_the_shift_moves_the_five_prime_base_and_what_leaves_the_contig_is_counted():
    reads = reads_of((0, 2, 12, "."), (0, 17, 20, "+"), (1, 0, 3, "-"))
    lengths = np.array([20, 10])
    steps, total, beyond = pile_up(reads, ReadSettings("cut_sites"), (4, -5), lengths)
    expected = [0.0] * 20
    expected[2 + 4] += 1
    expected[12 - 1 - 5] += 1
    assert whole(steps, lengths) == [expected, [0.0] * 10]
    assert (total, beyond) == (2, 2)


def test_coverage_of_neighbouring_contigs_does_not_run_together():
    steps, _, _ = pile_up(reads_of((0, 0, 4, "."), (1, 0, 4, ".")), ReadSettings(), (0, 0), np.array([4, 4]))
    assert read_steps(steps, 0, 2, 4, 0.0).tolist() == [1, 1]
    assert read_steps(steps, 1, 0, 2, 0.0).tolist() == [1, 1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 19), st.integers(1, 12), st.sampled_from(".+-")), max_size=30),
    st.integers(-6, 6),
    st.integers(-6, 6),
)
def test_as_a_loop_over_the_reads_counts(rows, plus, minus):
    lengths = [20, 20]
    rows = [(contig, start, min(20, start + length), strand) for contig, start, length, strand in rows]
    depth = [[0.0] * length for length in lengths]
    cuts = [[0.0] * length for length in lengths]
    for contig, start, end, strand in rows:
        for base in range(start, end):
            depth[contig][base] += 1
        sites = ([start + plus] if strand in ".+" else []) + ([end - 1 + minus] if strand in ".-" else [])
        for site in sites:
            if 0 <= site < lengths[contig]:
                cuts[contig][site] += 1
    reads = reads_of(*rows)
    steps, _, _ = pile_up(reads, ReadSettings(), (0, 0), np.array(lengths))
    assert whole(steps, lengths) == depth
    steps, total, beyond = pile_up(reads, ReadSettings("cut_sites", (plus, minus)), (0, 0), np.array(lengths))
    assert whole(steps, lengths) == cuts
    assert total == sum(map(sum, cuts))
    assert total + beyond == int(reads.first.sum() + reads.last.sum())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=12, unique=True), st.integers(0, 39), st.integers(1, 40))
def test_any_piece_of_the_steps_is_a_piece_of_the_whole(edges, start, length):
    edges = np.sort(np.array(edges))
    begins, ends = edges[:-1][::2], edges[1:][::2]
    values = np.arange(len(begins)) + 1.0
    expected = np.full(40, np.nan)
    for begin, end, value in zip(begins, ends, values, strict=True):
        expected[begin:end] = value
    zeros = np.zeros(len(begins), np.int64)
    steps = steps_of(zeros[::-1], begins[::-1], ends[::-1], values[::-1], np.array([40]))
    end = min(40, start + length)
    np.testing.assert_array_equal(read_steps(steps, 0, start, end, np.nan), expected[start:end])


PAIR = [("p", 99, "b", 2, "5M"), ("p", 147, "b", 10, "5M")]


def test_a_pair_is_one_fragment_and_a_single_read_its_aligned_bases(tmp_path: Path, store_of):
    store = store_of(CONTIGS)
    reads = [*PAIR, ("s", 16, "a", 3, "2M3D1M")]
    track = open_track(write_bam(tmp_path / "x.bam", LENGTHS, reads), store, {})
    assert np.flatnonzero(track.read(0, 0, 40)).tolist() == list(range(2, 15))
    assert np.flatnonzero(track.read(1, 0, 20)).tolist() == [3, 4, 8]
    assert track.total == 2
    assert track.counts["read"] == 3
    assert not any(track.counts["dropped"].values())


@pytest.mark.parametrize(
    ("forward", "reverse", "fragment"),
    [
        ((2, "9M"), (4, "5M"), (2, 9)),  # the forward mate runs on into the adapter
        ((4, "9M"), (2, "9M"), (4, 11)),  # both do
        ((12, "4M"), (2, "5M"), (2, 16)),  # outwards: all that is covered
    ],
)
def test_a_fragment_ends_where_its_mates_begin(tmp_path: Path, store_of, forward, reverse, fragment):
    reads = [("p", 99, "b", *forward), ("p", 147, "b", *reverse)]
    for order in (reads, reads[::-1]):
        track = open_track(write_bam(tmp_path / "x.bam", LENGTHS, order), store_of(CONTIGS), {})
        assert np.flatnonzero(track.read(0, 0, 40)).tolist() == list(range(*fragment))


def test_cut_sites_of_a_bam_are_shifted_by_four_and_five(tmp_path: Path, store_of):
    store = store_of(CONTIGS)
    path = write_bam(tmp_path / "x.bam", LENGTHS, [("p", 99, "b", 2, "3S5M"), ("p", 147, "b", 20, "5M2S")])
    shifted = open_track(path, store, {}, TrackSettings(ReadSettings("cut_sites")))
    assert np.flatnonzero(shifted.read(0, 0, 40)).tolist() == [2 + 4, 24 - 5]
    as_aligned = open_track(path, store, {}, TrackSettings(CUTS))
    assert np.flatnonzero(as_aligned.read(0, 0, 40)).tolist() == [2, 24]


def test_every_read_is_used_or_counted_under_the_reason_for_which_it_is_left_out(tmp_path: Path, store_of):
    reads = [
        ("unmapped", 4, "b", 0, "5M"),
        ("secondary", 256, "b", 0, "5M"),
        ("supplementary", 2048, "b", 0, "5M"),
        ("failed", 512, "b", 0, "5M"),
        ("duplicate", 1024, "b", 0, "5M"),
        ("poor", 0, "b", 0, "5M", 9),
        ("good", 0, "b", 0, "5M", 10),
        ("improper", 65, "b", 0, "5M"),
        ("lonely", 99, "b", 0, "5M"),
        ("elsewhere", 99, "mt", 0, "5M"),
        ("elsewhere", 147, "mt", 3, "5M"),
        ("spliced", 0, "mt", 3, "2M3N3M"),
    ]
    path = write_bam(tmp_path / "x.bam", {**LENGTHS, "mt": 100}, reads)
    track = open_track(path, store_of(CONTIGS), {"mt": None}, TrackSettings(ReadSettings(min_mapq=10)))
    assert track.counts["dropped"] == {
        "unmapped": 1, "secondary": 1, "supplementary": 1, "qc_fail": 1, "duplicate": 1, "low_mapq": 1,
        "improper_pair": 1, "mate_missing": 1, "excluded_contig": 3,
    }  # fmt: skip
    assert track.counts["read"] == len(reads) == 1 + sum(track.counts["dropped"].values())
    assert track.total == 1


def test_contigs_of_the_header_without_reads_need_no_alias(tmp_path: Path, store_of):
    path = write_bam(tmp_path / "x.bam", {**LENGTHS, "mt": 100, "virus": 7}, [("s", 0, "b", 0, "5M")])
    assert open_track(path, store_of(CONTIGS), {}).total == 1


def test_another_assembly_is_refused_by_length_and_by_digest(tmp_path: Path, store_of):
    store = store_of(CONTIGS)
    with pytest.raises(UserError, match=r"x\.bam: found 41 bases for contig b, expected 40 .*another assembly"):
        open_track(write_bam(tmp_path / "x.bam", {"b": 41, "a": 20}, []), store, {})
    digests = dict(zip(store.names, store.md5, strict=True))
    assert open_track(write_bam(tmp_path / "x.bam", LENGTHS, [], digests), store, {}).total == 0
    digests["a"] = "0" * 32
    with pytest.raises(UserError, match=r"x\.bam: found the digest 0+ \(M5\) for contig a, expected "):
        open_track(write_bam(tmp_path / "x.bam", LENGTHS, [], digests), store, {})


def test_a_broken_bam_is_told(tmp_path: Path, store_of):
    reads = [(f"r{number}", 0, "b", number % 30, "5M") for number in range(20000)]
    path = write_bam(tmp_path / "x.bam", LENGTHS, reads)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="broken or incomplete BAM"):
        open_track(path, store_of(CONTIGS), {})


@pytest.mark.parametrize("seed", [1, 2])
def test_coverage_and_five_prime_ends_are_those_of_bedtools(tmp_path: Path, store_of, seed: int):
    draws = np.random.default_rng(seed)
    reads = []
    for number in range(200):
        contig = ["b", "a"][draws.integers(2)]
        start = int(draws.integers(0, LENGTHS[contig] - 8))
        cigar = str(draws.choice(["8M", "3M1D4M", "2M3N3M", "4M2I4M"]))
        reads.append((f"r{number}", int(draws.choice([0, 16])), contig, start, cigar))
    order = {"b": 0, "a": 1}
    reads.sort(key=lambda read: (order[read[2]], read[3]))
    store = store_of(CONTIGS)
    path = write_bam(tmp_path / "x.bam", LENGTHS, reads)
    for what, options in ((ReadSettings(), {"split": True}), (CUTS, {"5": True})):
        track = open_track(path, store, {}, TrackSettings(what))
        expected = [np.zeros(length) for length in LENGTHS.values()]
        counted = pybedtools.BedTool(str(path)).genome_coverage(d=True, **options)
        for line in Path(counted.fn).read_text().splitlines():
            contig, base, number = line.split("\t")
            expected[order[contig]][int(base) - 1] = float(number)
        for contig, length in enumerate(LENGTHS.values()):
            np.testing.assert_array_equal(track.read(contig, 0, length), expected[contig])
