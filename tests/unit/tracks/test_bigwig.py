import numpy as np
import pyBigWig
import pytest

from lociflow.tracks.bigwig import add_bases, add_pieces, open_bigwigs


def read(path, contig, start, end):
    with pyBigWig.open(str(path)) as handle:
        return np.asarray(handle.values(contig, start, end)).tolist()


def test_pieces_are_read_back(genome, tmp_path):
    contig, start, end = np.array([0, 0, 1]), np.array([0, 10, 5]), np.array([10, 13, 7])
    with open_bigwigs(tmp_path / "out", ["a.bw"], genome.store) as (handle,):
        add_pieces(handle, genome.store, contig, start, end, np.array([0.25, np.nan, 2.0]))
        add_pieces(handle, genome.store, np.array([1]), np.array([7]), np.array([8]), np.array([3.0]))
    with pyBigWig.open(str(tmp_path / "out/a.bw")) as handle:
        # In the order of the genome, which is not that of the alphabet.
        assert list(handle.chroms().items()) == [("chrII", 40), ("chrI", 30), ("chrX", 20)]
        assert handle.intervals("chrII") == ((0, 10, 0.25),)
        assert handle.intervals("chrI") == ((5, 7, 2.0), (7, 8, 3.0))


def test_bases_are_read_back_with_their_gaps(genome, tmp_path):
    contig, base = np.array([0, 0, 0, 1, 1]), np.array([3, 4, 9, 9, 10])
    with open_bigwigs(tmp_path / "out", ["a.bw"], genome.store) as (handle,):
        add_bases(handle, genome.store, contig, base, np.array([1.0, np.nan, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(
        read(tmp_path / "out/a.bw", "chrII", 2, 11), [np.nan, 1, np.nan, np.nan, np.nan, np.nan, np.nan, 2, np.nan]
    )
    np.testing.assert_array_equal(read(tmp_path / "out/a.bw", "chrI", 8, 12), [np.nan, 3, 4, np.nan])


def test_a_failure_leaves_the_folder_as_it_was(genome, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "old.bw").write_text("old")
    with pytest.raises(RuntimeError, match="stopped"), open_bigwigs(folder, ["a.bw"], genome.store):
        raise RuntimeError("stopped")
    assert [path.name for path in folder.iterdir()] == ["old.bw"]
    with open_bigwigs(folder, ["a.bw"], genome.store):
        pass
    assert [path.name for path in folder.iterdir()] == ["a.bw"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
