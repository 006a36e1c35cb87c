"""What is wrong with a run stands at the top of its page: faults planted in the data, a training and a control."""

import json
import re

import pandas as pd
import pytest
from audit_cases import clean_case

from lociflow.report.page import render
from lociflow.report.provenance import Provenance
from lociflow.report.read_results import read_results

PROVENANCE = Provenance({"python": "3.11.7"}, "abc123", ("snakemake --cores all",))
COPIES = 12


@pytest.fixture
def sound(results):
    """A run in which nothing is wrong, its audit that of a clean genome; and the paths of its only model."""
    data = results.dataset("data", ["A", "B"])
    model = results.entry(data, "cnn", 0.9)
    results.entry(data, "cnn", 0.5, kind="control", variant="shuffled_labels")
    audit(results, clean_case())
    return results, model


def audit(results, case) -> None:
    """Audit a genome and give what was found to the run's data set."""
    path = results.folder / "audit.json"
    path.write_text(json.dumps(case.audit(results.folder / "audited").json))
    results.manifest["datasets"][0]["audit"] = str(path)


def banners(results) -> list[tuple[str, str]]:
    """Return level and title of the banners, from the part of the page before the first score."""
    top = render(read_results(results.manifest), PROVENANCE).partition('class="verdict"')[0]
    return re.findall(r'<summary><span class="level">(\w+)</span>(.*?)</summary>', top)


def test_a_sound_run_has_no_banner(sound) -> None:
    results, _ = sound
    assert banners(results) == []
    assert "Every check of the trainings" in render(read_results(results.manifest), PROVENANCE)


def test_a_planted_leak(sound) -> None:
    results, _ = sound
    case = clean_case()
    for test, train in zip(case.on("test")[:COPIES], case.on("train"), strict=False):
        case.window(test)[:] = case.window(train)
    audit(results, case)
    assert ("error", "data: the audit fails exact duplicates") in banners(results)


def test_a_training_that_diverged(sound) -> None:
    results, model = sound
    history = pd.read_csv(model["history"])
    history.assign(train_loss=history["train_loss"] * history["epoch"]).to_csv(model["history"], index=False)
    assert banners(results) == [("error", "data: 1 training diverged")]


def test_a_control_that_predicts(sound) -> None:
    results, _ = sound
    results.entry(results.manifest["datasets"][0], "rnn", 0.8, kind="control", variant="shuffled_labels")
    ((level, title),) = banners(results)
    assert level == "error"
    assert title.startswith("data: the control rnn+shuffled_labels scores above chance (median AUROC 0.")


def test_an_error_is_open_and_a_warning_can_be_opened(results) -> None:
    data = results.dataset("data", ["A", "B"])
    results.entry(data, "cnn", 0.9, best=12)
    results.entry(data, "rnn", 0.5)
    text = render(read_results(results.manifest), PROVENANCE)
    assert re.findall(r'<li class="banner (\w+)"><details( open)?>', text) == [("error", " open"), ("warning", "")]
    assert 'aria-label="What is wrong or must be known: 1 error, 1 warning"' in text
