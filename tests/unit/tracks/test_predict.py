import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
import torch
from small_genome import BIN, GC, SEQUENCES, GCOfEachBase, IsA, gc, loaded

from lociflow.command import UserError
from lociflow.models.outputs import Outputs
from lociflow.tracks import predict as module
from lociflow.tracks.predict import Model, chunk_size, predict_tracks
from lociflow.tracks.tiles import tile_chunks, whole_contigs

BINARY = Outputs("binary", ("a target",))


@pytest.fixture
def tracks(genome, tmp_path, monkeypatch):
    """Predict with models that are no files, and return what was written."""

    def make(*models, regions=None, **config):
        by_path = {Path(f"seed{number}.ckpt"): model for number, model in enumerate(models)}
        monkeypatch.setattr(module, "load_model", by_path.__getitem__)
        folder = tmp_path / "tracks"
        predict_tracks(
            genome.store.path,
            genome.windows,
            list(by_path),
            {"bin": BIN, **({} if regions else {"contigs": "all"}), **config},
            folder / "predictions",
            folder / "all.tsv.gz",
            folder / "all.tsv.gz.csi",
            folder / "tracks.json",
            regions,
        )
        return folder

    return make


def values(path, contig):
    with pyBigWig.open(str(path)) as handle:
        return np.asarray(handle.values(contig, 0, len(SEQUENCES[contig])))


def table(folder):
    return pd.read_csv(folder / "all.tsv.gz", sep="\t")


def test_every_base_has_the_gc_content_of_its_bin(tracks):
    folder = tracks(loaded(GC(), BINARY))
    assert [path.name for path in (folder / "predictions").iterdir()] == ["a_target.bw"]
    track = folder / "predictions/a_target.bw"
    np.testing.assert_allclose(values(track, "chrII"), 0.6, rtol=1e-6)
    np.testing.assert_array_equal(values(track, "chrI"), 0)
    # Six of ten bases are N in both windows.
    assert np.isnan(values(track, "chrX")).all()
    about = json.loads((folder / "tracks.json").read_text())
    assert (about["tiles"], about["padded"], about["unknown"]) == (9, 0, 2)
    assert about["tracks"] == [{"name": "a target", "file": "a_target.bw"}]
    assert about["locus"] == "chrII:1-40"


def test_windows_are_centred_on_bins_and_padded_at_the_ends(tracks):
    # Bins of 4 in windows of 8: two bases to either side.
    folder = tracks(loaded(GC(), BINARY, window=8), bin=4)
    for contig, text in SEQUENCES.items():
        padded = f"NN{text}NN"
        expected = np.full(len(text), np.nan)
        for start in range(0, len(text), 4):
            window = padded[start : start + 8]
            if len(window) == 8 and window.count("N") <= 4:
                expected[start : start + 4] = gc(window)
        if contig == "chrI":
            # The last bin would end at 32; it is moved back by two, and shown on the two bases that are left.
            expected[28:] = gc(padded[26:34])
        np.testing.assert_allclose(values(folder / "predictions/a_target.bw", contig), expected, rtol=1e-6)
    assert np.flatnonzero(~np.isnan(expected)).tolist() == [0, 1, 2, 3, 16, 17, 18, 19]
    about = json.loads((folder / "tracks.json").read_text())
    # Both ends of three contigs; on chrX the three windows in the middle hold six N of eight.
    assert (about["tiles"], about["padded"], about["unknown"]) == (10 + 8 + 5, 6, 3)


def test_a_smaller_step_has_the_prediction_of_the_bin_around_each_tile(tracks):
    folder = tracks(loaded(GC(), BINARY), step=2, contigs=["chrII"])
    text = SEQUENCES["chrII"]
    expected = [gc(text[min(max(start - 4, 0), 30) :][:10]) for start in range(0, 40, 2)]
    np.testing.assert_allclose(values(folder / "predictions/a_target.bw", "chrII"), np.repeat(expected, 2), rtol=1e-6)


def test_the_table_can_be_asked_for_a_place(tracks):
    folder = tracks(loaded(GC(), BINARY))
    found = table(folder)
    assert found.columns.tolist() == ["#contig", "start", "end", "split", "a target"]
    assert found.iloc[[0, 4, 8]].values.tolist()[:2] == [["chrII", 0, 10, "train", 0.6], ["chrI", 0, 10, "test", 0.0]]
    assert found["split"].tolist() == ["train", "train", "none", "validation", "test", "none", "none", "none", "none"]
    assert found["a target"].isna().tolist() == [False] * 7 + [True] * 2
    path = str(folder / "all.tsv.gz")
    with pysam.TabixFile(path, index=f"{path}.csi") as rows:
        assert list(rows.fetch("chrII", 15, 16)) == ["chrII\t10\t20\ttrain\t0.6"]
    with gzip.open(path) as handle:
        assert handle.read(1) == b"#"
    assert sorted(file.name for file in folder.iterdir()) == [
        "all.tsv.gz",
        "all.tsv.gz.csi",
        "predictions",
        "tracks.json",
    ]


def test_overlapping_regions_of_a_file_with_other_names(tracks, tmp_path):
    bed = tmp_path / "regions.bed"
    bed.write_text("2\t3\t17\n2\t12\t25\n")
    folder = tracks(loaded(GC(), BINARY), regions=bed, contig_aliases={"2": "chrII"})
    expected = np.full(40, np.nan)
    for start, end in ((3, 13), (13, 23), (23, 25)):
        expected[start:end] = gc(SEQUENCES["chrII"][start : start + 10])
    np.testing.assert_allclose(values(folder / "predictions/a_target.bw", "chrII"), expected, rtol=1e-6)
    assert table(folder)[["start", "end"]].values.tolist() == [[3, 13], [13, 23], [23, 25]]
    assert json.loads((folder / "tracks.json").read_text())["contigs"] == {
        "chrII": {"train": 2, "validation": 1, "test": 0, "none": 0}
    }


def test_it_is_told_on_which_contigs_the_model_was_trained(tracks):
    about = json.loads((tracks(loaded(GC(), BINARY)) / "tracks.json").read_text())
    assert about["bins"]["chrII"] == {"train": 2, "validation": 1, "test": 0}
    assert about["bins"]["chrI"] == {"train": 0, "validation": 0, "test": 1}
    assert about["contigs"]["chrX"] == {"train": 0, "validation": 0, "test": 0, "none": 2}


class Half(GC):
    def forward(self, views):
        return torch.zeros_like(super().forward(views))


def test_seeds_are_averaged_as_probabilities(tracks):
    folder = tracks(loaded(GC(), BINARY), loaded(Half(), BINARY, seed=2))
    np.testing.assert_allclose(values(folder / "predictions/a_target.bw", "chrII"), (0.6 + 0.5) / 2, rtol=1e-6)
    assert json.loads((folder / "tracks.json").read_text())["seeds"] == [1, 2]


def test_a_profile_is_the_expected_signal_of_each_base(tracks):
    # As many counts as there are G and C, shared out among them: one each.
    folder = tracks(loaded(GCOfEachBase(), Outputs("profile", ("signal",), positions=BIN)))
    for contig in ("chrII", "chrI"):
        expected = [float(base in "GC") for base in SEQUENCES[contig]]
        np.testing.assert_allclose(values(folder / "predictions/signal.bw", contig), expected, atol=1e-5)
    np.testing.assert_allclose(table(folder)["signal"][:7], [0.6] * 4 + [0] * 3, atol=1e-5)


def test_where_bins_of_a_profile_overlap_the_middle_is_taken(tracks):
    folder = tracks(loaded(GCOfEachBase(), Outputs("profile", ("signal",), positions=BIN)), step=3, contigs=["chrII"])
    # Whatever the bin, a base of it has one count if it is G or C: only a shift would show.
    expected = [float(base in "GC") for base in SEQUENCES["chrII"]]
    np.testing.assert_allclose(values(folder / "predictions/signal.bw", "chrII"), expected, atol=1e-5)


def test_classes_have_a_track_each(tracks):
    outputs = Outputs("class", ("part",), (("none", "gene"),))

    class Two(GC):
        def forward(self, views):
            logit = super().forward(views)
            return torch.cat([torch.zeros_like(logit), logit], dim=1)

    folder = tracks(loaded(Two(), outputs))
    np.testing.assert_allclose(values(folder / "predictions/part_gene.bw", "chrII"), 0.6, rtol=1e-6)
    np.testing.assert_allclose(values(folder / "predictions/part_none.bw", "chrII"), 0.4, rtol=1e-6)


def test_a_model_of_one_strand_has_a_track_of_each(tracks):
    outputs = Outputs("position_class", ("site",), (("none", "a"),), BIN)
    folder = tracks(loaded(IsA(), outputs, stranded=True))
    # The background has none; on the minus strand A is T, at the place of the plus strand.
    assert sorted(path.name for path in (folder / "predictions").iterdir()) == ["site_a_minus.bw", "site_a_plus.bw"]
    text = SEQUENCES["chrII"]
    np.testing.assert_allclose(
        values(folder / "predictions/site_a_plus.bw", "chrII"), [float(base == "A") for base in text], atol=1e-6
    )
    np.testing.assert_allclose(
        values(folder / "predictions/site_a_minus.bw", "chrII"), [float(base == "T") for base in text], atol=1e-6
    )


@pytest.mark.parametrize("chunk", [1, 2, 5, 4096])
def test_how_many_tiles_are_predicted_at_once_changes_nothing(tracks, genome, monkeypatch, chunk):
    monkeypatch.setattr(module, "CHUNK", chunk)
    outputs = Outputs("profile", ("signal",), positions=BIN)
    folder = tracks(loaded(GCOfEachBase(), outputs), step=7)
    assert chunk_size(Model([loaded(GCOfEachBase(), outputs)], None, torch.device("cpu")), BIN) == chunk
    number = sum(len(tiles.start) for tiles in tile_chunks(genome.store, whole_contigs(genome.store, "all"), BIN, 7, 3))
    assert len(table(folder)) == number == 6 + 5 + 3
    found = np.concatenate([values(folder / "predictions/signal.bw", contig) for contig in ("chrII", "chrI")])
    expected = [float(base in "GC") for contig in ("chrII", "chrI") for base in SEQUENCES[contig]]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outputs": Outputs("none", ())}, "was trained without labels, expected a model with outputs"),
        ({"views": ["sequence", "control"]}, "toy reads the control, which is only known on the data set's bins"),
        ({"split_digest": "another"}, "held other bins or had another split holdout"),
        ({"outputs": Outputs("profile", ("signal",), positions=8)}, "predicts 8 bases of a bin, expected 10"),
    ],
)
def test_a_model_that_cannot_be_shown_is_refused(tracks, tmp_path, change, told):
    model = loaded(GC(), change.get("outputs", BINARY))
    model.config["model"]["views"] = change.get("views", ["sequence"])
    model.provenance.update({key: value for key, value in change.items() if key == "split_digest"})
    with pytest.raises(UserError, match=f"seed0.ckpt: .*{told}"):
        tracks(model)
    assert not (tmp_path / "tracks").exists()
