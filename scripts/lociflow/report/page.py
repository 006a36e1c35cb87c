"""The page: everything a run has found, in one HTML file that loads nothing."""

import base64
import hashlib
import json
import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lociflow.command import atomic, status
from lociflow.evaluation.metrics import METRICS
from lociflow.report import figures, tables
from lociflow.report.along_figures import along_figures
from lociflow.report.answer import LeaderboardRow, asked, leaderboard, seeds_of, verdict
from lociflow.report.attention_figures import attention_figures
from lociflow.report.cost import EntryCost, entry_costs, step_costs
from lociflow.report.differences import Difference, from_best, mean_ranks
from lociflow.report.drawing import Figure, Style, styles
from lociflow.report.explanation_checks import Checked, checked_explanations
from lociflow.report.figure_files import write_figures
from lociflow.report.figures import FEW_TARGETS
from lociflow.report.findings import Finding, findings, held, kept_epoch, unfinished
from lociflow.report.heat_maps import heat_map_figures
from lociflow.report.importance import MotifExperiments, motif_experiments, spacing_rules
from lociflow.report.ledger_table import page_ledger
from lociflow.report.loci_figures import locus_figures
from lociflow.report.logos import letter_shapes, logo
from lociflow.report.manifest import locate
from lociflow.report.motif_cards import KIND_NAMES, Cards, cards
from lociflow.report.motif_matrix import MatrixRow, family_matrix, interpreted, planted_matrix
from lociflow.report.prefix_figures import prefix_figures
from lociflow.report.provenance import Provenance, provenance_of
from lociflow.report.read_results import read_results, read_table
from lociflow.report.results import DatasetResults, Entry, Restored, RunResults
from lociflow.report.score_figures import calibration, critical_difference, further_rows, strata
from lociflow.report.split_comparison import split_comparisons
from lociflow.report.trust import Trust, trust
from lociflow.report.variant_effects import MOST_HEAT_MAPS

TEMPLATES = Path(__file__).parent / "templates"
TRUTH = ("auprc", "base_rate", "decoy_ratio")
LARGEST_PAGE = 10_000_000  # bytes: what still opens at once on a phone and goes through a mail server


@dataclass(frozen=True)
class DatasetSection:
    """One data set as the templates show it; figures that do not apply are None or missing."""

    results: DatasetResults
    level: str
    """Of the intervals, as in ``95%``."""
    verdict: str
    chance: Mapping[str, float | None]
    leaderboard: list[tuple[str, list[LeaderboardRow]]]
    from_best: Mapping[str, Difference]
    """How each entry differs from the best one, by label; empty where nothing was compared."""
    leaderboard_figures: list[Figure]
    positives: Figure | None
    learning: list[tuple[str, Figure, list[str]]]
    curves: list[Figure]
    target_figures: list[Figure]
    strata: list[Figure]
    further: list[dict[str, Any]]
    """Rows of the second table of models."""
    against_baseline: list[Figure]
    motifs: list[Cards]
    matrix: list[MatrixRow]
    matrix_entries: list[Entry]
    planted_logos: Mapping[str, Markup]
    loci: list[Figure]
    checked: Checked | None
    """Whether explanations pass their checks; None where none were checked."""
    explanations: Figure | None
    attention: list[Figure]
    prefixes: list[Figure]
    along: list[Figure]
    """Outputs along example bins, where labels are of bases."""
    experiments: list[MotifExperiments]
    rules: list[tuple[Entry, Mapping[str, Any]]]
    costs: list[EntryCost]
    restored: list[tuple[Restored, list[Entry]]]
    """Models trained without labels, each with the models that start from its weights."""
    trust: Trust | None
    """Which explanation to trust; None where there is nothing to choose between."""


def write_page(
    manifest: Mapping[str, Any], page: Path, figure_folder: Path | None = None, comparisons: Path | None = None
) -> None:
    """Make the page of a run, and its figures as files.

    Parameters
    ----------
    manifest
        What belongs to the run; see :func:`lociflow.report.manifest.locate`.
    page
        HTML file to write.
    figure_folder
        Where the figures of the page go as SVG files; None for the page alone.
    comparisons
        Table of all pairs of models and baselines; None where nothing was compared.

    Raises
    ------
    UserError
        A file of the manifest is missing or of another format version.
    """
    results = read_results(locate(manifest))
    if comparisons is not None:
        results = replace(results, comparisons=read_table(comparisons))
    text = render(results, provenance_of(manifest))
    size = len(text.encode())
    with atomic(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if figure_folder is not None:
        write_figures(text, figure_folder)
    if size > LARGEST_PAGE:
        status(too_large(page, text))
    status(f"report: {page} ({size / 1e6:.1f} MB)")


def too_large(page: Path, text: str) -> str:
    """Say how large a page is and what takes most of it."""
    drawn = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    share = sum(len(svg.encode()) for svg in drawn) / len(text.encode())
    return (
        f"{page}: found {len(text.encode()) / 1e6:.1f} MB, expected at most {LARGEST_PAGE / 1e6:.0f} MB, to open at "
        f"once on a phone and to go through a mail server; {share:.0%} of it are {len(drawn):,} figures and logos: "
        "give the run fewer data sets, models or interpreted models"
    )


def render(results: RunResults, provenance: Provenance) -> str:
    """Render the page; the same results and provenance give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(
        number=tables.number, signed=tables.signed, duration=tables.seconds, count_of=tables.count_of,
        size=tables.size, megabytes=tables.megabytes, breakable=breakable, q_value=exponent, as_yaml=as_yaml, held=held,
    )  # fmt: skip
    environment.globals.update(
        interval=tables.interval, plural=tables.plural, download=download, target_rows=target_rows,
        explanation_rows=explanation_rows, training_configs=training_configs, few_targets=FEW_TARGETS,
        kind_names=KIND_NAMES, explained=explained, held_count=held_count, prevalence=prevalence,
        audit_checks=audit_checks, audit_page=audit_page, audit_says=audit_says, metrics=METRICS, saved_text=saved_text,
    )  # fmt: skip
    style = styles(results)
    script = "\n".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.js")))
    scores = tables.score_table(results)
    ranks = mean_ranks(results)
    return environment.get_template("report.html.j2").render(
        run=results,
        asked=asked(results),
        findings=findings(results),
        finding_counts=count_levels(findings(results)),
        comparisons=split_comparisons(results),
        sections=[dataset_section(dataset, style, scores, results) for dataset in results.datasets],
        ranks=ranks,
        rank_figure=critical_difference(ranks) if ranks else None,
        differences=results.comparisons,
        scores=scores,
        ledger=page_ledger(results),
        letters=letter_shapes(),
        variant_effects=[(effects, heat_map_figures(effects)) for effects in results.variant_effects],
        most_heat_maps=MOST_HEAT_MAPS,
        steps=step_costs(results.benchmarks),
        provenance=provenance,
        style_sheet=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        seeds=seeds_of(results),
    )


def dataset_section(
    dataset: DatasetResults, style: Mapping[str, Style], scores: pd.DataFrame, results: RunResults
) -> DatasetSection:
    """Draw and arrange everything about one data set."""
    groups = figures.grouped(dataset.entries)
    trained = [
        (label, entries)
        for label, entries in groups
        if any(entry.history is not None and len(entry.history) for entry in entries)
    ]
    many = bool(dataset.entries) and len(dataset.entries[0].metrics["targets"]) > FEW_TARGETS
    draw_positives = figures.positives_by_rank if many else figures.positives_by_target
    draw_targets = figures.distribution if many else figures.per_target
    matrix = planted_matrix(dataset) if dataset.planted else family_matrix(dataset)
    differences = from_best(results.comparisons, dataset)
    curves = [*(figures.curve(dataset, style, metric) for metric in ("auroc", "auprc")), calibration(dataset, style)]
    return DatasetSection(
        results=dataset,
        level=figures.level(dataset),
        verdict=verdict(dataset, results.comparisons),
        chance={metric: figures.chance(dataset, metric) for metric in dataset.shown_metrics},
        leaderboard=leaderboard(dataset, scores),
        from_best=differences,
        leaderboard_figures=[figures.leaderboard(dataset, style, metric) for metric in dataset.shown_metrics],
        positives=draw_positives(dataset) if dataset.is_first and "positives_test" in dataset.targets else None,
        learning=[
            (label, figures.learning_curves(dataset, label, entries, style), [told(entry) for entry in entries])
            for label, entries in trained
        ],
        curves=[figure for figure in curves if figure],
        strata=strata(dataset, style),
        further=further_rows(dataset),
        target_figures=[draw_targets(dataset, style, metric) for metric in dataset.target_metrics],
        against_baseline=[
            figure
            for _, entries in groups
            if many and entries[0].kind == "model"
            if (figure := figures.against_baseline(dataset, entries[0], style))
        ],
        motifs=[cards(entry, dataset.matched) for entry in interpreted(dataset)],
        matrix=matrix,
        matrix_entries=interpreted(dataset),
        planted_logos={
            truth.matrix: logo(truth.pwm, f"{truth.matrix}, planted for {factor}")
            for factor, truth in (dataset.planted or {}).items()
        },
        loci=locus_figures(dataset),
        checked=checked_explanations(dataset),
        explanations=figures.explanations(dataset, style),
        attention=attention_figures(dataset),
        prefixes=prefix_figures(dataset),
        along=along_figures(dataset),
        experiments=motif_experiments(dataset),
        rules=spacing_rules(dataset),
        costs=entry_costs(dataset, results.benchmarks),
        restored=[(found, started_from(dataset, found.label)) for found in dataset.restored],
        trust=trust(dataset),
    )


def started_from(dataset: DatasetResults, label: str) -> list[Entry]:
    """Return the entries whose training started from the weights of a model that was trained without labels."""
    return [
        entry
        for entry in dataset.of_kind("model")
        if ((entry.config or {}).get("training", {}).get("transfer") or {}).get("model") == label
    ]


def prevalence(counts: Mapping[str, Any], split: str, side: str) -> Mapping[str, float | None]:
    """Return median, least and most of the targets' share of positives among the known labels of one side of a split.

    None for each where there is no such share: no known label, or labels that are not binary.
    """
    labels = counts["splits"][split]["labels"][side]
    shares = [
        positives / known
        for positives, known in zip(labels.get("positives", []), labels["known"], strict=False)
        if known
    ]
    if not shares:
        return {"median": None, "least": None, "most": None}
    return {"median": statistics.median(shares), "least": min(shares), "most": max(shares)}


def audit_checks(dataset: DatasetResults) -> list[dict[str, Any]]:
    """Return the checks of the audit that are about a split, and those about the data set as a whole."""
    checks = (dataset.audit or {}).get("checks", [])
    return [check for check in checks if check["split"] in dataset.audited_splits]


def audit_says(dataset: DatasetResults) -> str:
    """Return the audit's sentence about a split; of several folds, about the first that was audited."""
    told: Mapping[str, str] = (dataset.audit or {}).get("says_by_split", {})
    return next((told[str(split)] for split in dataset.audited_splits if split in told), "")


def audit_page(dataset: DatasetResults) -> str:
    """Return where the audit's own page lies, as seen from the report."""
    return f"../../{dataset.dataset}/audit.html"


def told(entry: Entry) -> str:
    """Say how a training went."""
    history = entry.history
    if history is None or not len(history):
        return f"{entry.name}: no history"
    text = (
        f"{entry.name}: {tables.plural(len(history), 'epoch')} in {tables.seconds(tables.train_seconds(entry))}, kept "
        f"epoch {kept_epoch(entry)}"
    )
    return text + (", still improving when it stopped" if unfinished(entry) else "")


def target_rows(dataset: DatasetResults) -> list[dict[str, Any]]:
    """Arrange the scores target by target: its positives and prevalence, then both metrics of every entry."""
    if not dataset.entries:
        return []
    rows = []
    by_entry = [{target["target"]: target for target in entry.metrics["targets"]} for entry in dataset.entries]
    for target in dataset.entries[0].metrics["targets"]:
        scores = [found.get(target["target"], {}) for found in by_entry]
        rows.append({**target, "scores": scores})
    return rows


def explained(dataset: DatasetResults) -> list[Entry]:
    """Return the entries whose attributions were scored against the planted sites."""
    return [entry for entry in dataset.entries if entry.truth is not None]


def explanation_rows(dataset: DatasetResults) -> list[dict[str, Any]]:
    """Arrange how well the attributions of each entry find the planted sites, of all factors and of each."""
    entries = explained(dataset)
    rows = []
    for factor in figures.planted_factors(entries):
        found = [figures.truth_of(entry, factor) for entry in entries]
        base = next((scores["base_rate"] for scores in found if scores.get("base_rate") is not None), None)
        rows.append({"factor": factor, "base_rate": base, "found": [dict.fromkeys(TRUTH) | scores for scores in found]})
    return rows


def training_configs(dataset: DatasetResults) -> dict[str, Mapping[str, Any]]:
    """Return the resolved configuration of one training of each label; seeds differ in nothing but the seed."""
    return {
        label: entries[0].config for label, entries in figures.grouped(dataset.entries) if entries[0].config is not None
    }


def held_count(dataset: DatasetResults) -> int:
    """Count the sources that are held to a digest that somebody has written down."""
    return sum(held(source, dataset.contigs_pinned) for source in dataset.sources)


def count_levels(found: list[Finding]) -> dict[str, int]:
    """Count the banners of each level."""
    return {level: sum(finding.level == level for finding in found) for level in ("error", "warning", "note")}


def as_yaml(value: Any) -> str:
    """Format a configuration as the YAML that a user would write."""
    plain = json.loads(json.dumps(value, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def exponent(value: float) -> Markup:
    """Format a q-value with its power of ten raised."""
    mantissa, power, digits = tables.q_value(value).partition("^")
    return Markup("{}<sup>{}</sup>").format(mantissa, digits) if power else Markup("{}").format(mantissa)


def breakable(name: str) -> Markup:
    """Let a long name of a model break after ``_`` and ``+``."""
    return Markup(str(escape(name)).replace("_", "_<wbr>").replace("+", "+<wbr>"))


def download(table: pd.DataFrame) -> str:
    """Turn a table into the address of a link that saves it as TSV."""
    return saved_text(tables.as_tsv(table), "text/tab-separated-values")


def saved_text(text: str, media_type: str) -> str:
    """Turn a text into the address of a link that saves it."""
    return f"data:{media_type};base64," + base64.b64encode(text.encode()).decode()
