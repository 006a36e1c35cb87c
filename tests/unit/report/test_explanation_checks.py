"""How the page shows the checks of explanations, and what follows from a check that has failed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError, write_json
from lociflow.formats import stamp
from lociflow.report.explanation_checks import checked_explanations
from lociflow.report.findings import findings
from lociflow.report.manifest import locate
from lociflow.report.motif_matrix import planted_matrix
from lociflow.report.page import render
from lociflow.report.provenance import provenance_of
from lociflow.report.read_results import read_results

POSITIONS = [0.0, *np.geomspace(0.01, 1, 10)]


def checks(path: Path, method: str, **failing: float) -> str:
    """Write the checks of an explanation that passes all but those that are named with their values."""
    falling = [1.0, 0.7, 0.5, 0.42, 0.3, 0.22, 0.15, 0.1, 0.05, 0.0, 0.0]
    slow = [1.0, 0.98, 0.97, 0.95, 0.9, 0.85, 0.74, 0.55, 0.35, 0.15, 0.0]
    likeness = failing.get("randomisation", 0.06)
    found: dict[str, Any] = {
        **stamp("explanation checks"),
        "method": method,
        "windows": 50,
        "randomisation": {
            "value": likeness, "low": likeness - 0.02, "high": likeness + 0.02, "threshold": 0.5, "windows": 16,
            "verdict": "fail" if "randomisation" in failing else "pass",
            "stages": [
                {"layers": ["hidden"], "similarity": 0.3 + 0.7 * likeness},
                {"layers": ["second", "first"], "similarity": likeness},
            ],
        },
        "completeness": {"value": None, "threshold": 0.1, "verdict": "not applicable", "worst": None},
    }  # fmt: skip
    if "completeness" in failing:
        found["completeness"] = {
            "value": failing["completeness"], "threshold": 0.05, "verdict": "fail", "worst": "JUN",
        }  # fmt: skip
    for key, top, random in (("deletion", falling, slow), ("insertion", slow[::-1], falling[::-1])):
        area = failing.get(key, 0.4)
        found[key] = {
            "value": area, "low": area - 0.05, "high": area + 0.05, "threshold": 0.0, "windows": 50,
            "verdict": "fail" if key in failing else "pass", "positions": POSITIONS, "top": top, "random": random,
        }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return str(path)


@pytest.fixture
def explained(tmp_path: Path, results: Any) -> tuple[Any, Path]:
    """A run of two models and a control, with two methods for one of them, of which the first fails."""
    made = results
    data = made.dataset("simulated", ["CTCF", "JUN"], planted=True)
    folder = tmp_path / "checks"
    good = made.entry(data, "cnn", 0.9, motifs=["CTCF", "JUN"])
    bad = made.entry(data, "danq", 0.9, motifs=["CTCF"])
    control = made.entry(data, "cnn", 0.5, variant="untrained", kind="control", motifs=["JUN"], best=None)
    good["checks"] = [checks(folder / "good.json", "deep_lift_shap")]
    bad["checks"] = [
        checks(folder / "edges.json", "edges", randomisation=0.98),
        checks(folder / "second.json", "integrated_gradients", completeness=0.3),
    ]
    control["checks"] = [checks(folder / "control.json", "deep_lift_shap", deletion=-0.1)]
    table = pd.DataFrame(
        [
            ("cnn/seed1/deep_lift_shap", "danq/seed1/edges", "model, method", 200, 0.1, 0.05, 0.15, 0.02),
            ("danq/seed1/edges", "danq/seed1/integrated_gradients", "method", 200, 0.3, 0.2, 0.4, 0.1),
            ("cnn/seed1/deep_lift_shap", "cnn/seed2/deep_lift_shap", "seed", 20, 0.8, 0.75, 0.85, 0.5),
        ],
        columns=["first", "second", "differs", "windows", "pearson", "low", "high", "spearman"],
    )
    table.to_csv(tmp_path / "agreement.tsv", sep="\t", index=False)
    made.manifest["agreement"] = {"simulated": str(tmp_path / "agreement.tsv")}
    return made, tmp_path


def test_motifs_of_a_failed_explanation_are_left_out_and_a_controls_stay(explained: tuple[Any, Path]) -> None:
    made, _ = explained
    (dataset,) = read_results(locate(made.manifest)).datasets
    good, bad, control = dataset.entries
    assert bad.failed_checks == ("randomised weights",)
    assert {motif.kind for motif in bad.motifs} <= {"filter"}
    assert (good.failed_checks, control.failed_checks) == ((), ())
    assert {motif.kind for motif in good.motifs} >= {"modisco"}
    assert {motif.kind for motif in control.motifs} >= {"modisco"}
    found = {row.name: set(row.found) for row in planted_matrix(dataset)}
    assert "cnn/seed1" in found["CTCF"]
    assert "modisco" not in {
        motif.kind for row in planted_matrix(dataset) for motif in row.found.get("danq/seed1", {}).values()
    }


def test_every_failure_of_a_model_is_a_banner_and_none_of_a_control(explained: tuple[Any, Path]) -> None:
    made, _ = explained
    told = [finding for finding in findings(read_results(locate(made.manifest))) if "explanations of" in finding.title]
    assert [finding.title for finding in told] == [
        "simulated: the explanations of danq by edges fail randomised weights",
        "simulated: the explanations of danq by integrated_gradients fail completeness",
    ]
    assert "Its motifs are left out" in told[0].text
    assert "choose another method" in told[0].text
    assert "Its motifs are left out" not in told[1].text
    assert "raise steps of integrated gradients" in told[1].text


def test_the_section_holds_every_explanation_and_every_pair(explained: tuple[Any, Path]) -> None:
    made, _ = explained
    (dataset,) = read_results(locate(made.manifest)).datasets
    found = checked_explanations(dataset)
    assert found is not None
    assert [(row.entry.label, row.method) for row in found.rows] == [
        ("cnn", "deep_lift_shap"),
        ("danq", "edges"),
        ("danq", "integrated_gradients"),
        ("cnn+untrained", "deep_lift_shap"),
    ]
    assert (len(found.figures), len(found.controls)) == (2, 1)
    assert "edges: randomised weights 0.980 (fail), deletion 0.400 (pass)" in found.figures[1].svg
    assert [pair["differs"] for pair in found.pairs] == ["seed", "method"]
    assert found.agreement is not None
    assert "cnn/seed1/deep_lift_shap and cnn/seed2/deep_lift_shap 0.80" in found.agreement.svg


def test_the_page_says_what_passed_what_failed_and_what_was_left_out(explained: tuple[Any, Path]) -> None:
    made, _ = explained
    page = render(read_results(locate(made.manifest)), provenance_of(made.manifest))
    section = page[page.index('id="checks-title"') : page.index("</section>", page.index('id="checks-title"'))]
    assert "✗ fails 0.980" in section
    assert "<summary>The same of 1 control</summary>" in section
    assert "✓ 0.400" in section
    assert "not applicable" in section
    assert "0.750 to 0.850" in section
    assert "the explanations by edges that they are made from fail randomised weights" in page
    assert '<a href="#checks">Checks</a>' in page
    assert "left out</td>" in page


def test_a_run_without_checks_has_no_such_section(results: Any) -> None:
    data = results.dataset("simulated", ["CTCF"])
    results.entry(data, "cnn", 0.9)
    page = render(read_results(locate(results.manifest)), provenance_of(results.manifest))
    assert 'id="checks"' not in page


def test_checks_of_another_version_are_refused(explained: tuple[Any, Path]) -> None:
    made, folder = explained
    path = folder / "checks" / "good.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 0}))
    with pytest.raises(UserError, match="found explanation checks version 0"):
        read_results(locate(made.manifest))
