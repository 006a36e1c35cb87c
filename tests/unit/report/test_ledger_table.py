"""The ledger as a table, as text, on the page, and as the step writes it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lociflow.report.ledger_table import ledger_table, ledger_text, page_ledger, run_ledger, told_verdicts
from lociflow.report.page import Provenance, render
from lociflow.report.read_results import read_results

SCRIPT = Path(__file__).parents[3] / "scripts" / "write_ledger.py"
PROVENANCE = Provenance({"python": "3.11.7"}, "abc123", ("snakemake --cores all",))
ENTRY: dict[str, Any] = {
    "id": "toys/net", "method": "Net & <sons>", "models": {"danq_small": "faithful"}, "metric": "auroc",
    "target": "CTCF", "statistic": None, "over": None, "value": 0.9, "count": None, "trials": None, "exact": False,
    "source": {"paper": "Nobody 2020", "address": "https://example.org/net?a=1&b=2", "place": "table 1"},
    "data": "ten windows", "protocol": "a hold-out", "dataset": "toy", "split": "holdout",
    "tolerance": {"value": 0.1, "reason": "two digits"}, "not_comparable": None, "caveats": ["The split leaks."],
}  # fmt: skip
COUNT = {**ENTRY, "id": "toys/count", "models": {}, "metric": "auprc", "value": 0.5, "count": 5, "trials": 10}


@pytest.fixture
def covered(results):
    """Two seeds of one model and one of another, with known scores of CTCF, and two published numbers."""
    data = results.dataset("toy", ["CTCF", "GATA1"])
    for model, seed, auroc, auprc in (
        ("danq_small", 1, 0.90, 0.4),
        ("danq_small", 2, 0.94, 0.6),
        ("other", 1, 0.7, 0.3),
    ):
        made = results.entry(data, model, 0.9 if model == "danq_small" else 0.6, seed=seed)
        path = Path(made["metrics"])
        found = json.loads(path.read_text())
        for metric, value in (("auroc", auroc), ("auprc", auprc)):
            found["targets"][0][metric] = {"value": value, "low": value - 0.02, "high": value + 0.02, "reason": None}
        path.write_text(json.dumps(found))
    results.manifest["published"] = [ENTRY, COUNT]
    return results


def test_a_row_tells_both_scores_and_the_verdict(covered) -> None:
    table = ledger_table(run_ledger(read_results(covered.manifest)))
    assert table["entry"].tolist() == ["toys/net", "toys/net", "toys/count"]
    assert table["model"].tolist() == ["danq_small", "other", "danq_small"]
    assert table["standing"].tolist() == ["faithful", "other", "other"]
    assert table["verdict"].tolist() == ["reproduced", "worse", "not told apart"]
    first, _, count = table.to_dict("records")
    assert first["measured"] == pytest.approx(0.92)
    assert (first["measured_low"], first["measured_high"]) == (pytest.approx(0.90), pytest.approx(0.94))
    assert first["sd"] == pytest.approx(0.04 / 2**0.5)
    assert (first["seeds"], first["test_bins"], first["tolerance"]) == (2, 2013, 0.1)
    assert first["difference"] == pytest.approx(0.02)
    assert (first["difference_low"], first["difference_high"]) == (pytest.approx(0.0), pytest.approx(0.04))
    assert pd.isna(first["published_low"])
    assert pd.isna(first["published_trials"])
    # Wilson's interval of 5 of 10
    assert (count["published_low"], count["published_high"]) == (
        pytest.approx(0.2366, abs=1e-4),
        pytest.approx(0.7634, abs=1e-4),
    )
    assert count["published_trials"] == 10
    assert (first["address"], first["caveats"]) == ("https://example.org/net?a=1&b=2", "The split leaks.")


def test_the_text_is_aligned_and_says_each_reason_once(covered) -> None:
    covered.manifest["published"].append({**ENTRY, "id": "toys/again"})
    lines = ledger_text(run_ledger(read_results(covered.manifest))).splitlines()
    assert lines[0] == "toy, holdout split: published numbers"
    header, first = lines[1], lines[2]
    assert first.startswith("net (AUROC)")
    assert all(part in first for part in ("0.920", "0.900 to 0.940", "0.028", "+0.020"))
    assert header.index("verdict") == first.index("reproduced")
    reasons = [line for line in lines if line.startswith("reproduced, because")]
    assert reasons == ["reproduced, because a difference beyond the tolerance of 0.1 is excluded"]


def test_verdicts_are_counted(covered) -> None:
    rows = run_ledger(read_results(covered.manifest))
    assert told_verdicts(rows) == "1 reproduced, 1 worse, 1 not told apart"


def test_the_page_has_a_section_with_links_to_the_sources(covered) -> None:
    text = render(read_results(covered.manifest), PROVENANCE)
    assert '<section id="ledger"' in text
    assert '<a href="#ledger">' in text
    links = re.findall(r'<a href="(http[^"]*)"', text)
    assert set(links) == {"https://example.org/net?a=1&amp;b=2"}
    assert "Net &amp; &lt;sons&gt;" in text
    assert "The split leaks." in text
    assert "<strong>reproduced</strong>, because a difference beyond the tolerance of 0.1 is excluded." in text
    assert re.findall(r'\b(?:src|srcset)="', text) == []


def test_entries_that_agree_share_their_sources(covered) -> None:
    found = page_ledger(read_results(covered.manifest))
    assert found is not None
    assert [ids for ids, _ in found.sources] == [["toys/net", "toys/count"]]


def test_a_run_that_covers_no_number_has_no_section(simulated) -> None:
    results = read_results(simulated.manifest)
    assert page_ledger(results) is None
    assert 'id="ledger"' not in render(results, PROVENANCE)


def test_the_step_writes_both_tables(covered, tmp_path) -> None:
    table, text, manifest = (tmp_path / name for name in ("ledger.tsv", "ledger.txt", "manifest.json"))
    manifest.write_text(json.dumps(covered.manifest))
    files = ["--manifest", manifest, "--ledger", table, "--table", text]
    done = subprocess.run([sys.executable, SCRIPT, *files], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "published numbers: 1 reproduced, 1 worse, 1 not told apart\n"
    found = pd.read_csv(table, sep="\t")
    assert found["verdict"].tolist() == ["reproduced", "worse", "not told apart"]
    assert text.read_text().startswith("toy, holdout split: published numbers\n")
