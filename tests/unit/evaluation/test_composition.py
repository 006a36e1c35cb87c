import numpy as np
import pandas as pd
import pytest

from lociflow.evaluation.composition import fit_predict, fit_predict_length, gc_content
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store


def test_direction_is_that_of_the_training_bins(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nGGGGAAAAGGAANNNN\n")
    write_store([tmp_path / "x.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "x")
    store = open_store(tmp_path / "store.json")
    windows = pd.DataFrame(
        {
            "contig": pd.Categorical(["a"] * 4),
            "start": [0, 4, 8, 12],
            "end": [4, 8, 12, 16],
            "split": ["train", "train", "validation", "test"],
        }
    )
    assert gc_content(store, windows, 4).tolist() == [1, 0, 0.5, 0.5]
    assert gc_content(store, windows, 8)[:2] == pytest.approx([4 / 6, 0.5])
    targets = np.array([[1, 0, 1], [0, 1, -1], [0, 0, 0], [0, 0, 0]], np.int8)
    windows.loc[2, ["start", "end"]] = 0, 4
    found = fit_predict(store, windows, targets, ["high", "low", "unknown"], window_length=4)
    assert found[["high", "low"]].to_numpy().tolist() == [[1, 0], [0.5, 0.5]]
    assert found["split"].tolist() == ["validation", "test"]


def test_length_in_the_direction_of_the_training_bins(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nACGTACGT\n>b\nAC\n>c\nACGT\n>d\nACGTAC\n")
    write_store([tmp_path / "x.fa"], tmp_path / "codes.npy", tmp_path / "store.json", "x")
    windows = pd.DataFrame(
        {
            "contig": pd.Categorical(list("abcd")),
            "start": 0,
            "end": 4,
            "split": ["train", "train", "validation", "test"],
        }
    )
    targets = np.array([[1, 0], [0, 1], [0, 0], [0, 0]], np.int8)
    found = fit_predict_length(open_store(tmp_path / "store.json"), windows, targets, ["long", "short"])
    assert found[["long", "short"]].to_numpy().tolist() == [[0.5, 0.5], [0.75, 0.25]]
