from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.genome.regions import categorical
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store
from lociflow.tracks.tiles import count_tiles, read_regions_to_predict, tile_chunks, whole_contigs


def tiles(store, regions, bin_length, step, chunk=3):
    found = list(tile_chunks(store, regions, bin_length, step, chunk))
    assert all(0 < len(part.start) <= chunk for part in found)
    return [np.concatenate(columns).tolist() for columns in zip(*found, strict=True)] if found else [[]] * 4


def regions(store, *rows):
    contig = categorical(np.array([store.names.index(row[0]) for row in rows], np.int8), store.names)
    start, end = (np.array([row[column] for row in rows], np.int64) for column in (1, 2))
    return pd.DataFrame({"contig": contig, "start": start, "end": end})


def test_the_tiles_of_a_contig_are_its_bins(genome):
    found = tiles(genome.store, whole_contigs(genome.store, ["chrI"]), 10, 10)
    assert found == [[1, 1, 1], [0, 10, 20], [10, 20, 30], [0, 10, 20]]


def test_the_last_tile_is_clipped_and_its_bin_stays_in_the_contig(genome):
    # 30 bases in bins of 12: the third would end at 36.
    assert tiles(genome.store, whole_contigs(genome.store, ["chrI"]), 12, 12)[1:] == [
        [0, 12, 24],
        [12, 24, 30],
        [0, 12, 18],
    ]


def test_a_smaller_step_shows_the_middle_of_bins(genome):
    # Bins of 10 around tiles of 4 begin 3 bases before them; those at the ends are moved back into the contig.
    found = tiles(genome.store, whole_contigs(genome.store, ["chrI"]), 10, 4)
    assert found[1] == [0, 4, 8, 12, 16, 20, 24, 28]
    assert found[2] == [4, 8, 12, 16, 20, 24, 28, 30]
    assert found[3] == [0, 1, 5, 9, 13, 17, 20, 20]


def test_a_larger_step_leaves_gaps(genome):
    assert tiles(genome.store, whole_contigs(genome.store, ["chrI"]), 5, 20)[1:] == [[0, 20], [5, 25], [0, 20]]


def test_regions_begin_tiles_of_their_own_and_end_them(genome):
    found = tiles(genome.store, regions(genome.store, ("chrII", 3, 25), ("chrI", 7, 9)), 10, 10)
    assert found == [[0, 0, 0, 1], [3, 13, 23, 7], [13, 23, 25, 9], [3, 13, 23, 7]]


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 29), st.integers(1, 30), st.integers(1, 7))
def test_tiles_cover_a_region_once_and_lie_in_their_bins(bin_length, step, start, length, chunk):
    store = STORE
    end = min(start + length, 30)
    region = regions(store, ("chrI", start, end))
    _, begin, finish, bin_start = tiles(store, region, bin_length, step, chunk)
    assert len(begin) == count_tiles(region, step)[0]
    covered = [base for low, high in zip(begin, finish, strict=True) for base in range(low, high)]
    wanted = range(start, end) if step <= bin_length else covered
    assert covered == list(wanted)
    assert len(covered) == len(set(covered))
    for low, high, first in zip(begin, finish, bin_start, strict=True):
        assert first >= 0
        assert first + bin_length <= max(30, bin_length)
        assert first <= low
        assert high <= first + bin_length


def test_whole_contigs_are_in_the_order_of_the_genome(genome):
    found = whole_contigs(genome.store, ["chrX", "chrII"])
    assert found["contig"].tolist() == ["chrII", "chrX"]
    assert found["end"].tolist() == [40, 20]
    assert whole_contigs(genome.store, "all")["contig"].tolist() == ["chrII", "chrI", "chrX"]


def test_a_contig_that_the_genome_lacks_is_refused(genome):
    with pytest.raises(UserError, match=r"tracks: found the contig chr9, which toy does not have; expected some of"):
        whole_contigs(genome.store, ["chrI", "chr9"])


def test_regions_that_overlap_or_touch_are_one(genome, tmp_path):
    bed = tmp_path / "a.bed"
    bed.write_text("chrI\t5\t12\nchrII\t20\t50\nchrI\t12\t15\nchrI\t0\t6\n")
    found = read_regions_to_predict(bed, genome.store, {})
    rows = found[["contig", "start", "end"]].values.tolist()
    assert rows == [["chrII", 20, 40], ["chrI", 0, 15]]


def test_names_of_other_files_are_those_of_the_genome_through_aliases(genome, tmp_path):
    bed = tmp_path / "a.bed"
    bed.write_text("1\t5\t12\nM\t0\t5\n")
    with pytest.raises(UserError, match=r"a.bed: the genome has no contig 1, M; expected names such as chrII"):
        read_regions_to_predict(bed, genome.store, {})
    found = read_regions_to_predict(bed, genome.store, {"1": "chrI", "M": None})
    assert found[["contig", "start", "end"]].values.tolist() == [["chrI", 5, 12]]


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "found no region"), ("chrI\t5\t5\n", r"found 1 regions of which none is left \(dropped: 1 zero_length\)")],
)
def test_a_file_without_regions_is_refused(genome, tmp_path, text, told):
    bed = tmp_path / "a.bed"
    bed.write_text(text)
    with pytest.raises(UserError, match=f"a.bed: {told}, expected some on toy; give tracks.regions another file"):
        read_regions_to_predict(bed, genome.store, {})


@pytest.fixture(scope="module", autouse=True)
def _store(tmp_path_factory):
    global STORE
    folder: Path = tmp_path_factory.mktemp("store")
    (folder / "genome.fa").write_text(f">chrI\n{'A' * 30}\n")
    write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "one")
    STORE = open_store(folder / "store.json")
