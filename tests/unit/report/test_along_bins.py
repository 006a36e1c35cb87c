from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from window_files import HOLDOUT, write_holdout

from lociflow.evaluation.predictions import PredictedBatch, write_batches
from lociflow.genome.window_table import METADATA
from lociflow.report.along_bins import AlongBin, agreement, median_row, read_along
from lociflow.report.along_figures import draw_along
from lociflow.report.page import render
from lociflow.report.provenance import provenance_of
from lociflow.report.read_results import read_results

BINS = 5


def write(folder: Path, kind: str, labels: np.ndarray, columns: dict[str, np.ndarray]) -> dict[str, Any]:
    """Write five bins of four bases, the first for training, and what two models predict of the others."""
    start = 10 * np.arange(BINS)
    split = ["train", *["test"] * (BINS - 1)]
    strand = ["+", "-", "+", "+", "+"]
    frame = pd.DataFrame({"contig": "c", "start": start, "end": start + 4, "strand": strand, "split": split})
    write_holdout(folder / "windows.parquet", frame, kind)
    if kind == "position_class":
        table = pq.read_table(folder / "windows.parquet")
        text = table.schema.metadata[METADATA].replace(b'"classes": null', b'"classes": [["none", "donor"]]')
        pq.write_table(table.replace_schema_metadata({METADATA: text}), folder / "windows.parquet")
    np.save(folder / "targets.npy", labels)
    pd.DataFrame({"target": ["t"]}).to_csv(folder / "targets.tsv", sep="\t", index=False)
    rows = np.arange(1, BINS)
    entries = []
    for model, kind_of in (("one", "model"), ("two", "model"), ("chance", "control")):
        batch = PredictedBatch(rows, np.array(["test"] * len(rows)), {name: v[1:] for name, v in columns.items()})
        write_batches(folder / f"{model}.parquet", [batch], "0")
        entry = {"label": model, "kind": kind_of, "predictions": str(folder / f"{model}.parquet")}
        entries.append({**entry, "attributions": "a.npz"})
    names = {"windows": "windows.parquet", "targets": "targets.npy", "target_table": "targets.tsv"}
    return {**{key: str(folder / name) for key, name in names.items()}, "split": HOLDOUT, "entries": entries}


def test_of_a_class_the_median_bin_by_its_probability_where_it_stands(tmp_path: Path) -> None:
    labels = np.zeros((BINS, 4, 1), np.int8)
    labels[[0, 1, 2, 3], [0, 1, 2, 3]] = 1
    labels[1, 0] = -1
    donor = np.zeros((BINS, 4), np.float32)
    donor[[0, 1, 2, 3], [0, 1, 2, 3]] = [1, 0.5, 0.9, 0.25]
    (found,) = read_along(write(tmp_path, "position_class", labels, {"t:none": 1 - donor, "t:donor": donor}))
    # Of 0.5, 0.9 and 0.25 in the test bins with a donor the median is that of bin 1.
    assert found._replace(label=0, predicted={}) == AlongBin("t:donor", "c", 10, 14, True, 0, {}, 3)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.label, [np.nan, 1, 0, 0])
    assert list(found.predicted) == ["one", "two"]
    assert found.predicted["two"].tolist() == [0, 0.5, 0, 0]


def test_of_a_profile_the_expected_signal(tmp_path: Path) -> None:
    labels = np.ones((BINS, 4, 1), np.float32)
    labels[3] = [[8], [0], [4], [0]]
    shape = np.tile(np.array([0.5, 0, 0.5, 0], np.float32), (BINS, 1))
    counts = np.full(BINS, np.log(11), np.float32)
    (found,) = read_along(write(tmp_path, "profile", labels, {"t": shape, "t:log_counts": counts}))
    # A quarter of four test bins is one: bin 3 has the most signal.
    assert (found.output, found.start, found.candidates) == ("t", 30, 1)
    assert found.label.tolist() == [8, 0, 4, 0]
    np.testing.assert_allclose(found.predicted["two"], [5, 0, 5, 0], rtol=1e-6)


def test_how_well_a_bin_is_predicted() -> None:
    predicted = np.array([[1.0, 2, 3], [3, 2, 1], [1, 1, 1]])
    observed = np.array([[2.0, 4, 6], [2, 4, 6], [2, 4, 6]])
    np.testing.assert_allclose(agreement(predicted, observed, "profile"), [1, -1, np.nan])
    stands = np.array([[0.0, 1, 1], [1, np.nan, 0]])
    assert agreement(predicted[:2], stands, "position_class").tolist() == [2.5, 3]
    assert median_row(np.array([0.1, np.nan, 0.9, 0.5])) == 3
    assert median_row(np.array([0.1, 0.9])) == 1
    assert median_row(np.array([np.nan])) == 0


def test_nothing_is_shown_of_other_labels_and_where_nothing_was_explained(tmp_path: Path) -> None:
    found = write(tmp_path, "binary", np.zeros((BINS, 1), np.int8), {"t": np.zeros(BINS, np.float32)})
    assert read_along(found) == ()
    assert read_along({**found, "entries": []}) == ()


def test_the_page_shows_it_where_there_is_one(results) -> None:
    results.entry(results.dataset("data", ["A"]), "cnn", 0.9)
    read, told = read_results(results.manifest), provenance_of(results.manifest)
    assert 'id="along"' not in render(read, told)
    values = np.array([0, 1.0, 0])
    found = AlongBin("s:donor", "chr1", 7, 10, False, values, {"cnn": values}, 2)
    page = render(replace(read, datasets=(replace(read.datasets[0], along=(found,)),)), told)
    assert 'id="along"' in page
    assert 'href="#along"' in page
    assert "chr1:8-10" in page


@pytest.mark.parametrize("panels", [1, 2])
def test_the_figure_names_the_place_and_all_models(panels: int) -> None:
    label, values = np.array([0, 1.0, np.nan, 0]), np.array([0, 0.25, 0.75, 0])
    one = AlongBin("t:donor", "chr1", 1000, 1004, True, label, {"cnn": values, "rnn": values[::-1]}, 17)
    figure = draw_along((one,) * panels, "data")
    assert figure.svg.count("chr1:1,001-1,004, read from the other strand") == panels
    assert "t:donor of cnn: most, 0.75, at base 1003" in figure.svg
    assert figure.caption.startswith("the median test bin of cnn, among 17 of t:donor")
    assert ">rnn<" in figure.svg
