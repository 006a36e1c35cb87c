import numpy as np
import pytest
from small_genome import WINDOW
from window_files import HOLDOUT

from lociflow.command import UserError
from lociflow.data.bins import NO_SPLIT, Bins, read_bins
from lociflow.genome.placement import Placement
from lociflow.tracks.sides import Sides, side_names, write_split_track


def bins(*rows, seeds=None):
    contig, position, split = (np.array(column) for column in zip(*rows, strict=True))
    place = Placement(contig.astype(np.int32), position.astype(np.int64), seeds)
    return Bins(place, np.zeros(len(contig), bool), split.astype(np.uint8))


def names(sides, *places):
    contig, position = (np.array(column) for column in zip(*places, strict=True))
    return side_names(sides.of(contig, position)).tolist()


def test_windows_that_share_a_base_have_the_side_of_the_bin(genome):
    sides = Sides(genome.store, bins((0, 20, 2)), WINDOW)
    # Windows of ten whose centres lie ten apart touch and share nothing.
    assert names(sides, (0, 10), (0, 11), (0, 20), (0, 29), (0, 30)) == ["none", "test", "test", "test", "none"]


def test_training_goes_before_validation_before_test(genome):
    sides = Sides(genome.store, bins((0, 10, 2), (0, 14, 1), (0, 18, 0)), WINDOW)
    assert names(sides, (0, 3), (0, 8), (0, 9)) == ["test", "validation", "train"]


def test_contigs_do_not_reach_into_each_other(genome):
    sides = Sides(genome.store, bins((0, 39, 0), (1, 0, 2)), WINDOW)
    assert names(sides, (0, 39), (1, 0), (2, 0)) == ["train", "test", "none"]
    # Windows reach beyond their contig's end too.
    assert names(Sides(genome.store, bins((0, 44, 0)), WINDOW), (1, -5), (0, 45)) == ["none", "train"]


def test_shuffles_and_what_the_split_leaves_out_lie_nowhere(genome):
    found = bins((0, 20, 0), (1, 5, NO_SPLIT), (2, 5, 1), seeds=np.array([7, 0, 0]))
    assert names(Sides(genome.store, found, WINDOW), (0, 20), (1, 5), (2, 5)) == ["none", "none", "validation"]


def test_the_bed_holds_every_bin_of_the_split(genome, tmp_path):
    write_split_track(genome.windows, HOLDOUT, tmp_path / "split.bed")
    header, *lines = (tmp_path / "split.bed").read_text().splitlines()
    assert header.startswith('track name="split"')
    assert [line.split("\t")[:8] for line in lines] == [
        ["chrII", "0", "10", "train", "0", "+", "0", "10"],
        ["chrII", "10", "20", "train", "0", "-", "10", "20"],
        ["chrII", "30", "40", "validation", "0", ".", "30", "40"],
        ["chrI", "0", "10", "test", "0", ".", "0", "10"],
    ]
    assert len({line.split("\t")[8] for line in lines}) == 3
    assert len(read_bins(genome.windows, genome.store, HOLDOUT)) == len(lines) + 1


def test_a_split_that_does_not_exist_is_refused(genome, tmp_path):
    with pytest.raises(UserError, match="has no split fold1, expected one of holdout"):
        write_split_track(genome.windows, "fold1", tmp_path / "split.bed")
    assert not (tmp_path / "split.bed").exists()
