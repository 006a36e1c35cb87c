"""The model card: what an exported model is, how well it does, what it is for, and how to load it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lociflow.evaluation.metrics import KIND_METRICS, METRICS

TEMPLATES = Path(__file__).parent / "templates"
# More targets than these are summarised alone.
MOST_TARGETS = 30
NOTHING = "–"
NONE_STATED = "none stated"
# Of simulated data: no baseline, but the best score that their truth allows.
CEILING = "ceiling"


class CardFacts(NamedTuple):
    """What a card says."""

    about: Mapping[str, Any]
    """``name`` (the model's label), ``model`` (its ``name``, ``description``, ``paper``, ``doi``), ``dataset``
    (``description``, ``citation``, ``licence``), ``attribution`` (``method``, ``valid``, ``reason``), ``sources``: how
    many files the data set is made from."""
    described: Mapping[str, Any]
    """``model.json``."""
    metrics: Mapping[str, Any]
    """``metrics.json`` of the model."""
    audit: Mapping[str, Any]
    """``audit.json`` of the data set."""
    baselines: Mapping[str, Mapping[str, Any]]
    """``metrics.json`` of each baseline on the same bins, by name."""
    sources: Sequence[Mapping[str, Any]]
    """Records of source files, perhaps not of all."""


class ScoreRow(NamedTuple):
    """A line of the table of scores: a name and a cell for each metric."""

    name: str
    cells: list[str]


def write_card(path: Path, facts: CardFacts) -> None:
    """Write a model card: Markdown behind the YAML head that model hubs read."""
    kind = facts.described["labels"]
    split = facts.described["dataset"]["split"]
    shown = KIND_METRICS[kind].shown
    text = _environment().get_template("README.md.j2").render(
        head=yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True, width=120).strip(),
        about=facts.about,
        model=facts.described,
        licence=licence(facts),
        titles=[METRICS[name].title for name in shown],
        scores=score_rows(facts, shown),
        targets=target_rows(facts, shown),
        limit=CEILING if CEILING in facts.baselines else None,
        metrics=facts.metrics,
        level=f"{facts.metrics['interval']['level']:.0%}",
        chance={METRICS[name].title: METRICS[name].chance for name in shown if METRICS[name].chance is not None},
        audit=audit_of(facts.audit, split),
        sources=facts.sources,
        digests=facts.metrics["digests"],
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")


def write_example(folder: Path, described: Mapping[str, Any]) -> None:
    """Write ``example.py`` for the first format that stayed; nothing where none did."""
    made = [found["file"] for found in described["files"].values() if found["file"]]
    if made:
        text = _environment().get_template("example.py.j2").render(file=made[0], model=described)
        (folder / "example.py").write_text(text, encoding="utf-8")


def front_matter(facts: CardFacts) -> dict[str, Any]:
    """Return the head of a card, with the keys that Hugging Face's hub reads."""
    kind, dataset = facts.described["labels"], facts.described["dataset"]
    results = [
        {"type": name, "name": f"median {METRICS[name].title} over targets, test split", "value": value}
        for name in KIND_METRICS[kind].shown
        if (value := facts.metrics["summary"][name]["median"]) is not None
    ]
    made = [found["file"] for found in facts.described["files"].values() if found["file"]]
    return {
        "license": "other",
        "license_name": "licence-of-the-data",
        "library_name": "pytorch",
        "tags": ["biology", "genomics", facts.described["alphabet"], *(["onnx"] if "model.onnx" in made else [])],
        "model-index": [
            {
                "name": facts.about["name"],
                "results": [
                    {
                        "task": {"type": "other", "name": f"{kind} labels of {facts.described['alphabet']} windows"},
                        "dataset": {"type": dataset["name"], "name": facts.about["dataset"]["description"],
                                    "split": f"{dataset['split']}, test"},
                        "metrics": results,
                    }
                ],
            }
        ],
    }  # fmt: skip


def licence(facts: CardFacts) -> str:
    """Return the licence of the data as the data set states it."""
    return str(facts.about["dataset"].get("licence") or NONE_STATED)


def score_rows(facts: CardFacts, shown: Sequence[str]) -> list[ScoreRow]:
    """Return medians over targets with their intervals: of the model on test and validation bins, and of baselines."""
    rows = [ScoreRow("this model", [_cell(facts.metrics["summary"], name) for name in shown])]
    if any(facts.metrics["validation"].get(name, {}).get("median") is not None for name in shown):
        rows.append(
            ScoreRow("this model, validation bins", [_cell(facts.metrics["validation"], name) for name in shown])
        )
    for baseline, metrics in facts.baselines.items():
        rows.append(ScoreRow(baseline, [_cell(metrics["summary"], name) for name in shown]))
    return rows


def target_rows(facts: CardFacts, shown: Sequence[str]) -> list[ScoreRow]:
    """Return the scores of each target, or class of one, after its prevalence; none where there are many."""
    rows = facts.metrics["targets"]
    if len(rows) > MOST_TARGETS:
        return []
    return [
        ScoreRow(
            str(row["target"]),
            [
                number(row.get("prevalence"), 4),
                *(_with_interval(row[name], "value") if name in row else NOTHING for name in shown),
            ],
        )
        for row in rows
    ]


def audit_of(audit: Mapping[str, Any], split: str) -> dict[str, Any]:
    """Return what an audit says of one split: ``verdict``, ``says``, and the ``checks`` that did not pass.

    Of many folds of one scheme only the first was audited, and stands for the others.
    """
    looked = next((first for first, others in audit["stands_for"].items() if split in others), split)
    return {
        "verdict": audit["by_split"][looked],
        "says": audit["says_by_split"][looked],
        "checks": [
            check
            for check in audit["checks"]
            if check["split"] in (None, looked) and check["applies"] and check["verdict"] != "pass"
        ],
        "split": looked,
    }


def number(value: float | None, digits: int = 3) -> str:
    """Format a number; an en dash where there is none."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def _cell(summary: Mapping[str, Any], name: str) -> str:
    return _with_interval(summary[name], "median") if name in summary else NOTHING


def _with_interval(found: Mapping[str, Any], statistic: str) -> str:
    if found.get("low") is None or found.get("high") is None:
        return number(found[statistic])
    return f"{number(found[statistic])} ({number(found['low'])} to {number(found['high'])})"


def _environment() -> Environment:
    # Markdown and Python are no markup: nothing is escaped but what a table's cell would break on.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=False, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(number=number, cell=lambda text: " ".join(str(text).split()).replace("|", "\\|"))
    return environment
