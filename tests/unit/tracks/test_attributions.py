import json

import numpy as np
import pyBigWig
import pytest
from small_genome import WINDOW, make_genome
from window_files import HOLDOUT

from lociflow.command import UserError
from lociflow.genome.placement import Placement
from lociflow.genome.window_table import split_digest
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.tracks.attributions import attribution_tracks, mean_by_base


def explained(genome, **meta):
    """Three windows of Reb1, the second read from the other strand, and one of Rap1."""
    codes = np.array([[0, 1, 2, 3, 4] * 2, [3] * 10, [0] * 10, [2] * 10], np.uint8)
    hypothetical = np.zeros((4, 4, WINDOW), np.float32)
    # What a base contributes where it is there: its code and one more, tenfold in the other windows.
    hypothetical[0] = np.array([1, 2, 3, 4])[:, None]
    hypothetical[1, 3] = np.arange(10)
    hypothetical[2, 0] = 100
    hypothetical[3, 2] = 7
    about = {
        "model": "toy", "method": "saturation", "output": "logit",
        "split_digest": split_digest(genome.windows, HOLDOUT),
        "targets": [{"target": "Reb1", "column": 0}, {"target": "Rap1", "column": 1}],
    }  # fmt: skip
    target = np.array([0, 0, 0, 1])
    return Attributions(np.array([0, 1, 3, 0]), target, codes, hypothetical, about | meta)


def write(genome, tmp_path, found):
    write_attributions(tmp_path / "attributions.npz", found)
    attribution_tracks(
        genome.store.path,
        genome.windows,
        HOLDOUT,
        tmp_path / "attributions.npz",
        tmp_path / "out",
        tmp_path / "attributions.json",
    )
    return tmp_path / "out"


def values(path, contig, start, end):
    with pyBigWig.open(str(path)) as handle:
        return np.asarray(handle.values(contig, start, end))


def test_windows_lie_on_the_plus_strand_of_the_genome(genome, tmp_path):
    folder = write(genome, tmp_path, explained(genome))
    # Bin 1 is on the minus strand: its window of 10 to 20 was read from its end.
    np.testing.assert_array_equal(
        values(folder / "Reb1.bw", "chrII", 0, 21), [1, 2, 3, 4, 0, 1, 2, 3, 4, 0, *range(9, -1, -1), np.nan]
    )
    np.testing.assert_array_equal(values(folder / "Reb1.bw", "chrI", 0, 11), [100] * 10 + [np.nan])
    np.testing.assert_array_equal(values(folder / "Rap1.bw", "chrII", 0, 11), [7] * 10 + [np.nan])
    about = json.loads((tmp_path / "attributions.json").read_text())
    assert about["tracks"] == [
        {"name": "Reb1", "file": "Reb1.bw", "windows": 3, "bases": 30},
        {"name": "Rap1", "file": "Rap1.bw", "windows": 1, "bases": 10},
    ]
    assert about["method"] == "saturation"


def test_where_bins_have_a_strand_each_strand_has_its_track(tmp_path):
    genome = make_genome(tmp_path, stranded=True)
    folder = write(genome, tmp_path, explained(genome))
    assert sorted(path.name for path in folder.iterdir()) == [
        "Rap1_minus.bw", "Rap1_plus.bw", "Reb1_minus.bw", "Reb1_plus.bw",
    ]  # fmt: skip
    unknown = [np.nan] * 10
    np.testing.assert_array_equal(
        values(folder / "Reb1_plus.bw", "chrII", 0, 20), [1, 2, 3, 4, 0, 1, 2, 3, 4, 0, *unknown]
    )
    np.testing.assert_array_equal(values(folder / "Reb1_minus.bw", "chrII", 0, 20), [*unknown, *range(9, -1, -1)])
    about = json.loads((tmp_path / "attributions.json").read_text())
    assert [(track["name"], track["windows"]) for track in about["tracks"]] == [
        ("Reb1:plus", 2), ("Rap1:plus", 1), ("Reb1:minus", 1), ("Rap1:minus", 0),
    ]  # fmt: skip


def test_overlapping_windows_are_averaged_and_ends_cut(genome):
    place = Placement(np.array([1, 1, 2], np.int32), np.array([1, 3, 19]))
    # Windows of four: -1 to 3 and 1 to 5 of chrI, which begins behind the 40 bases of chrII, and 17 to 21 of chrX.
    given = np.array([[9.0, 1, 2, 3], [10, 11, 12, 13], [5, 6, 7, 8]])
    base, mean = mean_by_base(genome.store, place, np.array([0, 1, 2]), given)
    assert base.tolist() == [40, 41, 42, 43, 44, 87, 88, 89]
    assert mean.tolist() == [1, (2 + 10) / 2, (3 + 11) / 2, 12, 13, 5, 6, 7]


def test_attributions_of_another_split_are_refused(genome, tmp_path):
    with pytest.raises(UserError, match=r"attributions.npz: was made when .*windows.parquet held other bins"):
        write(genome, tmp_path, explained(genome, split_digest="another"))
    assert not (tmp_path / "out").exists()
