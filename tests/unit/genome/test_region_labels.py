from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.genome.label_array import write_labels
from lociflow.genome.region_labels import region_labels
from lociflow.genome.windows import peak_centred_bins, tile_bins


@pytest.fixture
def found(tmp_path: Path, store_of: Callable) -> Callable:
    (tmp_path / "t.bed").write_text("b\t10\t20\tp\t9\t+\na\t30\t40\tp\t1\t-\na\t0\t10\tp\t5\t.\n")
    (tmp_path / "u.bed").write_text("b\t50\t60\tp\t9\t-\n")
    store = store_of({"z": "ACGT" * 20, "a": "ACGT" * 20, "b": "ACGT" * 20})

    def read(labels: dict, **targets: object) -> tuple:
        config = {"targets": {"files": {"T": "t.bed", "U": "u.bed"}, **targets}, "labels": labels}
        return store, region_labels(config, tmp_path, None, store, {})

    return read


def test_what_scores_too_little_makes_no_bin(found: Callable):
    store, labels = found({"positive_score": 8, "ignore_score": 3})
    assert labels.anchors["makes_bin"].tolist() == [True, False, True, True]
    assert labels.anchors["positive"].tolist() == [True, False, False, True]
    assert labels.counts["below_ignore_score"] == 1
    bins = peak_centred_bins(store, labels.anchors, labels.anchors.iloc[:0], bin=10).table
    assert bins[["contig", "start"]].values.tolist() == [["a", 0], ["b", 10], ["b", 50]]
    assert labels.label(bins).tolist() == [[-1, 0], [1, 0], [0, 1]]
    tiles = tile_bins(store, labels.anchors, labels.anchors.iloc[:0], bin=10).table
    assert labels.kept_anchors(tiles).tolist() == [True, False, True, True]


def test_bins_of_what_is_not_predicted_are_not_positive(found: Callable):
    _, labels = found({"positive_score": None}, negative_only=["U"])
    assert labels.anchors["makes_bin"].all()
    assert labels.anchors["positive"].tolist() == [True, True, True, False]


@pytest.mark.parametrize("kind", ["binary", "class", "position_class"])
def test_blocks_of_many_contigs_have_the_labels_of_each(found: Callable, tmp_path: Path, kind: str):
    store, labels = found({"kind": kind})
    table = tile_bins(store, labels.anchors, labels.anchors.iloc[:0], bin=10, stranded=True).table
    table = table.assign(shuffled=False)
    write_labels(tmp_path / "l.npy", table, labels)
    parts = [labels.label(part) for _, part in table.groupby("contig", observed=True)]
    np.testing.assert_array_equal(np.load(tmp_path / "l.npy"), np.concatenate(parts))
    if kind == "class":
        marked = table.assign(label=np.concatenate(parts)[:, 0])
        marked = marked[marked["label"] > 0][["contig", "start", "strand", "label"]].astype({"contig": str})
        assert sorted(map(tuple, marked.astype({"strand": str}).values.tolist())) == [
            ("a", 0, "+", 1), ("a", 0, "-", 1), ("a", 30, "-", 1), ("b", 10, "+", 1), ("b", 50, "-", 2),
        ]  # fmt: skip


def test_many_scaffolds_are_labelled_together(tmp_path: Path, store_of: Callable):
    number = 2000
    store = store_of({f"s{index}": "ACGT" * 5 for index in range(number)})
    (tmp_path / "t.bed").write_text("".join(f"s{index}\t0\t10\n" for index in range(0, number, 2)))
    config = {"targets": {"files": {"T": "t.bed"}}, "labels": {}}
    labels = region_labels(config, tmp_path, None, store, {})
    calls = []
    label = labels.label
    table = tile_bins(store, labels.anchors, labels.anchors.iloc[:0], bin=10).table.assign(shuffled=False)

    def counted(bins: pd.DataFrame) -> np.ndarray:
        calls.append(len(bins))
        return label(bins)

    write_labels(tmp_path / "l.npy", table, labels, counted)
    assert calls == [1, 2 * number]
    assert np.load(tmp_path / "l.npy")[:, 0].tolist() == [1, 0, 0, 0] * (number // 2)
