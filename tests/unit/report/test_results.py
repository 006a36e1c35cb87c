import json
from pathlib import Path

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.report.planted import Planted
from lociflow.report.read_results import families, read_benchmarks, read_matches, read_results
from lociflow.report.results import Match, in_family

HEADER = [
    "label", "motif", "kind", "match_id", "match_name", "family", "class", "p", "q", "overlap", "offset", "strand",
]  # fmt: skip


def test_families_of_a_dimer_are_split() -> None:
    assert families("Fos-related::Jun-related") == ("Fos-related", "Jun-related")
    assert families("More than 3 adjacent zinc fingers") == ("More than 3 adjacent zinc fingers",)
    assert families(float("nan")) == ()


def test_in_family() -> None:
    planted = Planted("MA0488.2", ("Jun-related",), np.eye(4))
    match = Match("MA0099.4", "FOS::JUN", ("Fos-related", "Jun-related"), 0.01, "+")
    assert in_family(match, planted)
    assert not in_family(match._replace(families=("Fos-related",)), planted)
    assert in_family(match._replace(families=(), identifier="MA0488.2"), planted)
    assert not in_family(match._replace(families=()), planted._replace(families=()))


@pytest.mark.parametrize(
    "label", ["cnn+a/seed1", "cnn+a/seed1/filters", "results/d/holdout/cnn+a/seed1/interpretation/modisco.meme"]
)
def test_the_best_match_of_each_motif_whatever_the_label_adds(tmp_path, label) -> None:
    rows = [
        [label, "m", "positive", "MA2.1", "Y", "", "", 0.01, 0.2, 7, 0, "+"],
        [label, "m", "positive", "MA1.1", "X", "Ets-related", "", 0.001, 0.02, 7, -2, "-"],
        [label, "m", "filter", "MA3.1", "Z", "", "", 0.5, 0.9, 7, 0, "+"],
        [label, "m", "positive", "library:MA1.1", "mine", "", "", 0.0001, 0.01, 7, 0, "+"],
    ]
    path = tmp_path / "motifs.tsv"
    path.write_text("\n".join("\t".join(map(str, row)) for row in [HEADER, *rows]) + "\n")
    found = read_matches(path)
    assert found["cnn+a/seed1", "modisco", "m"] == Match("MA1.1", "X", ("Ets-related",), 0.02, "-")
    assert found["cnn+a/seed1", "filter", "m"].identifier == "MA3.1"
    assert found["cnn+a/seed1", "modisco", "library:m"] == Match("library:MA1.1", "mine", (), 0.01, "+")
    assert len(found) == 3


def test_motifs_get_their_table_and_their_match(simulated) -> None:
    entry = read_results(simulated.manifest).datasets[0].entries[0]
    first, unknown = entry.motifs[0], entry.motifs[4]
    assert (first.name, first.kind, first.target, first.support) == ("positive_0", "modisco", "CTCF", 400)
    assert first.match is not None
    assert first.match.identifier == "MA0139.2"
    assert unknown.target is None
    assert unknown.match is not None
    assert unknown.match.q == 0.6


def test_the_sign_of_a_motif_is_kept_with_its_target_and_match(results) -> None:
    data = results.dataset("data", ["JUN"])
    results.entry(data, "cnn", 0.9, motifs=[], negative=["JUN"])
    (motif,) = (one for one in read_results(results.manifest).datasets[0].entries[0].motifs if one.kind == "negative")
    assert (motif.name, motif.target) == ("negative_0", "JUN")
    assert motif.match is not None
    assert motif.match.identifier == "MA0488.2"


def test_quotes_in_the_name_of_a_target_stay(results) -> None:
    data = results.dataset("data", ['"Pol II', "B"])
    results.entry(data, "cnn", 0.9)
    assert list(read_results(results.manifest).datasets[0].targets["target"]) == ['"Pol II', "B"]


def test_names_tell_seeds_apart_only_where_there_are_several(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, seed=1)
    results.entry(data, "cnn", 0.9, seed=2)
    results.entry(data, "danq", 0.9, seed=1)
    assert [entry.name for entry in read_results(results.manifest).datasets[0].entries] == [
        "cnn, seed 1", "cnn, seed 2", "danq",
    ]  # fmt: skip


def test_another_format_version_is_refused(results) -> None:
    data = results.dataset("data", ["A"])
    path = Path(results.entry(data, "cnn", 0.9)["metrics"])
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(UserError, match=r"metrics.json: found metrics version 99, expected metrics version"):
        read_results(results.manifest)


def test_a_missing_file_is_named(results) -> None:
    data = results.dataset("data", ["A"])
    paths = results.entry(data, "cnn", 0.9)
    Path(paths["curves"]).unlink()
    with pytest.raises(UserError, match=r"curves.npz: named by the manifest but not found"):
        read_results(results.manifest)


def test_a_target_called_na_keeps_its_name(results) -> None:
    data = results.dataset("data", ["NA", "nan"])
    results.entry(data, "cnn", 0.9)
    assert list(read_results(results.manifest).datasets[0].targets["target"]) == ["NA", "nan"]


def test_benchmarks_as_json_lines_and_as_tsv(tmp_path) -> None:
    folder = tmp_path / "benchmarks" / "data"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"s": 12.5, "max_rss": 800.0}\n')
    (folder / "short.tsv").write_text("s\th:m:s\tmax_rss\n0.1\t0:00:00\tNA\n")
    table = read_benchmarks([str(folder / name) for name in ("train.jsonl", "short.tsv", "absent.tsv")])
    assert table["step"].tolist() == ["data/train", "data/short"]
    assert table["seconds"].tolist() == [12.5, 0.1]
    assert table["memory_mb"].isna().tolist() == [False, True]
