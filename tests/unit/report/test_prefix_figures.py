from pathlib import Path

import pandas as pd

from lociflow.report.page import render
from lociflow.report.prefix_figures import LARGEST_TARGETS, prefix_figures
from lociflow.report.provenance import provenance_of
from lociflow.report.read_results import read_results


def write_prefixes(path: Path) -> str:
    rows = [
        (target, 7, direction, read, value, 0.1)
        for target in "ABCD"
        for direction, values in (("forward", [0.0, 0.5, 2.0]), ("backward", [0.0, 1.5, 2.0]))
        for read, value in zip((0, 100, 200), values, strict=True)
    ]
    columns = ["target", "bin", "direction", "read", "score", "deviation"]
    pd.DataFrame(rows, columns=columns).to_csv(path, sep="\t", index=False)
    return str(path)


def test_each_model_has_a_figure_of_its_first_targets(results, tmp_path: Path) -> None:
    data = results.dataset("data", ["A"])
    for model, kind in (("danq", "model"), ("other", "control")):
        results.entry(data, model, 0.9, kind=kind)["prefixes"] = write_prefixes(tmp_path / f"{model}.tsv")
    read = read_results(results.manifest)
    (figure,) = prefix_figures(read.datasets[0])
    assert figure.caption.startswith("danq")
    assert "A, bin 7: from 0.00 to 2.00" in figure.svg
    assert figure.svg.count("read up to base") == LARGEST_TARGETS
    assert 'id="prefixes"' in render(read, provenance_of(results.manifest))


def test_without_any_the_page_has_no_such_section(results, tmp_path: Path) -> None:
    results.entry(results.dataset("data", ["A"]), "cnn", 0.9)
    read = read_results(results.manifest)
    assert prefix_figures(read.datasets[0]) == []
    assert 'id="prefixes"' not in render(read, provenance_of(results.manifest))
