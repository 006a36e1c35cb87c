import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from lociflow.evaluation.pair_table import COLUMNS, NEITHER
from lociflow.report.answer import verdict
from lociflow.report.page import LARGEST_PAGE, Provenance, as_yaml, breakable, render, write_page
from lociflow.report.read_results import read_results

PROVENANCE = Provenance({"python": "3.11.7"}, "abc123", ("snakemake --cores all",))
ATTACK = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Collects elements and checks that they nest."""

    VOID = frozenset({"meta", "link", "br", "wbr", "input", "img", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [found for _, attributes in self.elements if (found := attributes.get(name)) is not None]


def page_of(results) -> tuple[str, Page]:
    text = render(read_results(results.manifest), PROVENANCE)
    return text, Page(text)


def test_simulated_run(simulated) -> None:
    text, page = page_of(simulated)
    assert set(page.values("id")) >= {"answer", "data", "training", "scores", "motifs", "explanations", "run"}
    for link in page.values("href"):
        assert link.startswith(("data:", "#"))
        assert not link.startswith("#") or link[1:] in page.values("id")
    assert "Planted motifs and who has found them" in text
    assert "The best score that the planted truth allows is" in text
    assert "still improving at the last epoch" in text


def test_nothing_is_loaded(simulated) -> None:
    text, page = page_of(simulated)
    assert not page.values("src")
    assert "@import" not in text
    assert not [url for url in re.findall(r"url\(([^)]*)\)", text) if not url.strip("\"'").startswith("#")]
    (policy,) = [
        attributes["content"] for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    assert (policy or "").startswith("default-src 'none';")
    assert {tag for tag, _ in page.elements} & {"img", "iframe", "object", "embed", "video", "audio"} == set()


def test_every_graphic_has_a_text_alternative_and_every_header_a_scope(simulated) -> None:
    _, page = page_of(simulated)
    graphics = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(graphics) > 40
    assert all(one.get("aria-label") or one.get("aria-hidden") == "true" for one in graphics)
    assert all(attributes.get("scope") for tag, attributes in page.elements if tag == "th")
    ids = page.values("id")
    assert len(ids) == len(set(ids))


def test_one_model_one_target(results) -> None:
    data = results.dataset("data", ["Reb1"])
    results.entry(data, "cnn", 0.9)
    text, _ = page_of(results)
    assert "Every check of the trainings" in text
    assert "No model of this data set was interpreted" in text
    assert "Explanations against the truth" not in text


def test_example_loci_are_shown_with_a_text_alternative(simulated) -> None:
    _, page = page_of(simulated)
    assert {"loci", "explanations"} <= set(page.values("id"))
    labels = page.values("aria-label")
    told = "Contribution of each base of chrX:1,041-1,160 of simulated to the predictions for CTCF. Positive for CTCF, "
    (label,) = [label for label in labels if label.startswith(told)]
    assert "deepbind_small: probability 0.900, most from AATGACGTCACC at 1,094-1,105, +10.00 in sum." in label
    assert label.endswith("Planted motifs: CTCF at 1,096-1,105.")
    assert "Example locus 2 of simulated" in labels
    assert any(
        word.startswith("The lowest probability of deepbind_small among the 3 test windows positive for CTCF and")
        and word.endswith("explained but not shown: deepsea_small+shuffled_labels")
        for word in page.words
    )


def test_nothing_explained_no_loci(results) -> None:
    results.entry(results.dataset("data", ["A"]), "cnn", 0.9, motifs=["JUN"])
    _, page = page_of(results)
    assert "loci" not in page.values("id")
    assert "#loci" not in page.values("href")


def test_186_targets_stay_small(results) -> None:
    data = results.dataset("yeast", [f"T{number}" for number in range(186)], unpinned=187)
    for model in ("deepbind_small", "deepsea_small", "danq_small"):
        results.entry(data, model, 0.85, motifs=["CTCF", "GATA1", "JUN"])
    results.entry(data, "kmer_logistic", 0.8, kind="baseline", seed=None)
    text, _ = page_of(results)
    assert len(text.encode()) < LARGEST_PAGE / 5
    assert "Scores of 186 targets of yeast" in text
    assert "187 sources of yeast, 186 with a pinned digest" in text
    assert "is above the baseline on" in text


def test_a_page_that_is_too_large_says_what_takes_the_room(results, tmp_path, monkeypatch, caplog) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9)
    page = tmp_path / "report.html"
    with caplog.at_level("INFO"):
        write_page(results.manifest, page)
    assert "expected at most" not in caplog.text
    monkeypatch.setattr("lociflow.report.page.LARGEST_PAGE", 1_000)
    with caplog.at_level("INFO"):
        write_page(results.manifest, page)
    drawn = page.read_text().count("<svg ")
    assert re.search(rf"expected at most 0 MB, .*; \d+% of it are {drawn} figures and logos", caplog.text)


def test_no_motifs_found(results) -> None:
    data = results.dataset("data", ["A"])
    paths = results.entry(data, "cnn", 0.9, motifs=[])
    for files in paths["motifs"].values():
        meme, table = Path(files["meme"]), Path(files["table"])
        meme.write_text(meme.read_text().partition("MOTIF")[0])
        table.write_text(table.read_text().splitlines()[0] + "\n")
    text, _ = page_of(results)
    assert "no motifs" in text


def test_undefined_metrics(results) -> None:
    data = results.dataset("data", ["A", "B"])
    results.entry(data, "cnn", None)
    results.entry(data, "kmer_logistic", None, kind="baseline", seed=None)
    text, _ = page_of(results)
    assert "No model has a defined score on the test set." in text
    assert "2 targets cannot be scored" in text
    assert not re.search(r">\s*(nan|None)\s*<", text)


def test_several_seeds_have_a_mean_with_its_deviation(results) -> None:
    data = results.dataset("data", ["A", "B", "C"])
    for seed in (1, 2, 3):
        results.entry(data, "cnn", 0.9, seed=seed)
    text, _ = page_of(results)
    assert "mean of 3" in text
    assert re.search(r"± 0\.\d{3} sd", text)


@pytest.mark.parametrize("targets", [[ATTACK, "B"], [ATTACK, *(f"T{number}" for number in range(40))]])
def test_names_are_escaped(results, targets) -> None:
    data = results.dataset("data", targets, unpinned=1)
    data["description"] = ATTACK
    results.manifest["run"] = ATTACK
    results.manifest["config"]["note"] = ATTACK
    results.entry(data, "cnn", 0.9, motifs=["JUN"])
    text, page = page_of(results)
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert") > 4


def test_two_renderings_are_equal(simulated, tmp_path) -> None:
    write_page(simulated.manifest, tmp_path / "one.html")
    write_page(simulated.manifest, tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_verdict_calls_a_tie_a_tie(results) -> None:
    data = results.dataset("data", ["A", "B", "C"])
    results.entry(data, "cnn", 0.9, width=0.4)
    results.entry(data, "danq", 0.9, width=0.4)
    (found,) = read_results(results.manifest).datasets
    row = {"dataset": "data", "split": data["split"], "first": "danq", "second": "cnn", "verdict": NEITHER}
    assert "does not differ clearly from" in verdict(found, pd.DataFrame([row], columns=list(COLUMNS)))
    assert "their order is not settled" not in verdict(found, pd.DataFrame(columns=list(COLUMNS)))


def test_configuration_is_shown_as_yaml() -> None:
    assert as_yaml({"seeds": [1], "a": {"b": None}}) == "seeds:\n- 1\na:\n  b: null\n"


def test_long_names_may_break() -> None:
    assert breakable("a_b+<c>") == "a_<wbr>b+<wbr>&lt;c&gt;"


def test_the_answer_tells_the_lift_of_the_table(results) -> None:
    data = results.dataset("data", ["A", "B"])
    results.entry(data, "cnn", 0.9)
    (found,) = read_results(results.manifest).datasets
    (entry,) = found.of_kind("model")
    assert f", a median lift of {entry.summary('lift', 'median'):.1f}." in verdict(
        found, pd.DataFrame(columns=list(COLUMNS))
    )


def test_the_leaderboard_says_who_differs_from_the_best(results, tmp_path) -> None:
    data = results.dataset("data", ["A", "B"])
    for model, auroc in (("cnn", 0.9), ("danq", 0.8)):
        for seed in (1, 2):
            results.entry(data, model, auroc, seed=seed)
    row = dict.fromkeys(COLUMNS) | {
        "dataset": "data", "split": data["split"], "first": "cnn", "second": "danq", "q": 0.002, "verdict": "better",
    }  # fmt: skip
    pd.DataFrame([row]).to_csv(tmp_path / "comparisons.tsv", sep="\t", index=False)
    write_page(results.manifest, tmp_path / "page.html", comparisons=tmp_path / "comparisons.tsv")
    page = Page((tmp_path / "page.html").read_text())
    # Once for each model, in the line of the mean over its seeds.
    assert [word for word in page.words if word in ("the best", "clearly worse")] == ["the best", "clearly worse"]
    assert "q = 0.002" in page.words
    write_page(results.manifest, tmp_path / "page.html")
    assert "against the best" not in (tmp_path / "page.html").read_text()


def test_strata_calibration_and_further_scores_are_shown(results, tmp_path) -> None:
    data = results.dataset("data", ["A", "B"])
    entry = results.entry(data, "cnn", 0.9)
    found = json.loads(Path(entry["metrics"]).read_text())
    found["summary"]["ece"] = {"median": 0.123, "low": 0.1, "high": 0.2}
    found["strata"] = [
        {"by": "GC content", "level": level, "bins": 500, "without": 0.8, "prevalence": 0.1,
         **{metric: {"value": value, "low": value - 0.1, "high": value + 0.05} for metric in ("auroc", "auprc")}}
        for level, value in (("20.0–40.0 %", 0.7), ("40.0–60.0 %", 0.9))
    ]  # fmt: skip
    Path(entry["metrics"]).write_text(json.dumps(found))
    _, page = page_of(results)
    assert "0.123" in page.words
    labels = page.values("aria-label")
    for told in (
        "AUROC by GC content on data. cnn: 20.0–40.0 % 0.700, 40.0–60.0 % 0.900",
        "Calibration on data, mean over targets: cnn: calibration error 0.123",
    ):
        assert any(label.startswith(told) for label in labels), told


def test_models_are_ranked_over_many_data_sets(results) -> None:
    for number in range(5):
        data = results.dataset(f"data{number}", ["A"])
        for model, auroc in (("best", 0.95), ("middle", 0.8), ("worst", 0.6)):
            results.entry(data, model, auroc)
    _, page = page_of(results)
    assert "Mean ranks over 5 data sets, 1 is best: best 1.00, middle 2.00, worst 3.00." in page.values("aria-label")
    assert "critical difference 1.48" in " ".join(page.words)
