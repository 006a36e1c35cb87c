from dataclasses import replace

from lociflow.report.motif_matrix import family_matrix, interpreted, planted_matrix
from lociflow.report.read_results import read_results


def test_planted_factors_by_model_and_kind(simulated) -> None:
    (data,) = read_results(simulated.manifest).datasets
    rows = {row.name: row for row in planted_matrix(data)}
    assert list(rows) == ["CTCF", "GATA1", "JUN", "MYC", "SPI1", "TP53"]
    assert list(rows["CTCF"].found) == ["deepbind_small/seed1", "deepsea_small/seed1"]
    assert list(rows["SPI1"].found) == ["deepsea_small/seed1", "danq_small/seed1"]
    both = rows["CTCF"].found["deepsea_small/seed1"]
    assert list(both) == ["modisco", "filter"]
    assert both["modisco"].match.q == 1e-7
    assert rows["CTCF"].matrix == "MA0139.2"


def test_families_most_often_found_first(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, motifs=["JUN", "CTCF"])
    results.entry(data, "danq", 0.9, motifs=["CTCF"])
    rows = family_matrix(read_results(results.manifest).datasets[0])
    assert [(row.name, row.finders) for row in rows] == [("More than 3 adjacent zinc fingers", 2), ("Jun-related", 1)]


def test_a_factor_without_a_family_stands_for_itself(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, motifs=["JUN", "CTCF"])
    (found,) = read_results(results.manifest).datasets
    (entry,) = found.entries
    motifs = tuple(
        motif._replace(match=motif.match._replace(families=())) if motif.match and motif.match.name == "CTCF" else motif
        for motif in entry.motifs
    )
    rows = family_matrix(replace(found, entries=(replace(entry, motifs=motifs),)))
    assert [row.name for row in rows] == ["CTCF", "Jun-related"]


def test_negative_motifs_count_for_nothing(results) -> None:
    data = results.dataset("data", ["JUN", "CTCF"], planted=True)
    results.entry(data, "cnn", 0.9, motifs=["CTCF"], negative=["JUN", "CTCF"])
    (found,) = read_results(results.manifest).datasets
    rows = {row.name: row for row in planted_matrix(found)}
    assert not rows["JUN"].found
    assert list(rows["CTCF"].found["cnn/seed1"]) == ["modisco", "filter"]
    assert [row.name for row in family_matrix(found)] == ["More than 3 adjacent zinc fingers"]


def test_controls_come_last_and_those_not_interpreted_are_left_out(simulated) -> None:
    (data,) = read_results(simulated.manifest).datasets
    assert [entry.name for entry in interpreted(data)] == [
        "deepbind_small", "deepsea_small", "danq_small", "deepsea_small+untrained", "deepsea_small+shuffled_labels",
    ]  # fmt: skip
