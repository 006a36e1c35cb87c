"""The figure and the section of which explanation to trust."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from explanation_files import Files

from lociflow.report.explanation_figure import described, ranking_figure
from lociflow.report.page import render
from lociflow.report.provenance import provenance_of
from lociflow.report.read_results import read_results, read_table
from lociflow.report.tables import write_table
from lociflow.report.trust import trust

SHAP = "deep_lift_shap"


@pytest.fixture
def ranking(tmp_path):
    files = Files(tmp_path)
    files.truth("danq_small", "saliency", 0.3, recovered=1)
    files.truth("deepsea_small", "saliency", 0.4, recovered=0)
    files.truth("deepsea_small", SHAP, 0.5, recovered=2)
    files.truth("deepsea_small+untrained", SHAP, 0.12, kind="untrained")
    left = [{"model": "danq_small", "method": SHAP, "kind": "model", "reason": "It has recurrent layers."}]
    table, _ = files.rank(left)
    write_table(table, tmp_path / "ranking.tsv")
    return tmp_path / "ranking.tsv"


def test_the_alternative_says_what_is_drawn(ranking):
    told = described(read_table(ranking), "simulated")
    assert told == (
        "AUPRC of the planted positions of simulated by architecture and method. "
        "deepsea_small: deep_lift_shap 0.500 (2/2, 3 false), saliency 0.400 (0/2, 3 false); "
        "danq_small: saliency 0.300 (1/2, 3 false), deep_lift_shap not valid; "
        "deepsea_small+untrained: deep_lift_shap 0.120"
    )


def test_invalid_cells_are_hatched_and_explained(ranking):
    table = read_table(ranking)
    svg = ranking_figure(table, "simulated")
    assert "<pattern" in svg
    assert "not valid for the architecture" in svg
    valid = ranking_figure(table[table["valid"]], "simulated")
    assert "<pattern" not in valid
    assert "not valid for the architecture" not in valid


def test_what_fails_a_check_is_marked_and_not_named_best(tmp_path, simulated):
    files = Files(tmp_path)
    files.truth("cnn", "saliency", 0.4)
    files.truth("cnn", SHAP, 0.5, fails=("deletion",))
    files.truth("rnn", "saliency", 0.3, fails=("deletion",))
    table, _ = files.rank()
    write_table(table, tmp_path / "ranking.tsv")
    table = read_table(tmp_path / "ranking.tsv")
    assert "deep_lift_shap 0.500 failed a check, saliency 0.400; rnn" in described(table, "simulated")
    assert "has failed a check" in ranking_figure(table, "simulated")
    assert "has failed a check" not in ranking_figure(table[table["method"] == "saliency"][:1], "simulated")
    results = read_results(simulated.manifest)
    dataset = replace(results.datasets[0], explanation_ranking=table)
    text = render(replace(results, datasets=(dataset,)), provenance_of(simulated.manifest))
    assert "cnn: saliency (AUPRC 0.400 at base rate 0.100); failed a check: deep_lift_shap" in text
    assert "rnn: no method; failed a check: saliency" in text
    assert "(fails deletion)" in text


def test_columns_and_rows_are_sorted(ranking):
    words = re.findall(r">([^<>]+)</text>", ranking_figure(read_table(ranking), "simulated"))
    assert words.index("shap") < words.index("saliency")
    assert words.index("deepsea_small") < words.index("danq_small") < words.index("+ untrained")


def test_the_page_shows_the_section(simulated, ranking):
    results = read_results(simulated.manifest)
    dataset = replace(results.datasets[0], explanation_ranking=read_table(ranking))
    text = render(replace(results, datasets=(dataset,)), provenance_of(simulated.manifest))
    assert '<a href="#trust">Which explanation to trust</a>' in text
    assert "deepsea_small: deep_lift_shap (AUPRC 0.500 at base rate 0.100)" in text
    assert "danq_small: saliency (AUPRC 0.300 at base rate 0.100); not valid: deep_lift_shap" in text
    assert "danq_small, deep_lift_shap: not valid. It has recurrent layers." in text
    assert 'data-name="' + dataset.name + '/explanation-ranking"' in text


@pytest.mark.parametrize("kept", [None, "saliency"])
def test_without_a_choice_there_is_no_section(simulated, ranking, kept):
    table = read_table(ranking)
    results = read_results(simulated.manifest)
    dataset = replace(results.datasets[0], explanation_ranking=None if kept is None else table[table["method"] == kept])
    assert trust(dataset) is None


def test_nothing_is_explained(simulated):
    results = read_results(simulated.manifest)
    assert trust(replace(results.datasets[0], explanation_ranking=pd.DataFrame({"model": []}))) is None
