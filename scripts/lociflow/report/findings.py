"""What is wrong with a run, or must be known before its numbers are believed: the banners at the top of the page."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from lociflow.evaluation.metrics import METRICS
from lociflow.evaluation.strata import between, carrying, judged_by
from lociflow.interpretation.checks.verdicts import FAIL, failed
from lociflow.report.motif_matrix import counts_as_found, planted_matrix
from lociflow.report.results import DatasetResults, Entry, RunResults
from lociflow.report.tables import number, plural

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
CHANCE = 0.5
# Random weights still see base composition, which alone moves the AUROC; shuffled labels leave nothing to see.
TOLERATED_CONTROL_AUROC = {"untrained": 0.60, "shuffled": 0.55}
NAMES_SHOWN = 8
# A loss that ends this much of its size above where it began was not noise between epochs.
TOLERATED_RISE = 0.1
# What to do about an explanation that has failed a check.
REMEDIES = {
    "randomisation": "With redrawn weights they stay as they were, so they show the input: choose another method "
    "(explanation_methods).",
    "deletion": "Replacing the positions that they put first costs the prediction no more than replacing random ones: "
    "look at the model's test score first, then choose another method.",
    "insertion": "The positions that they put first, set into shuffled sequence, do not bring the prediction back "
    "better than random ones: look at the model's test score first, then choose another method.",
    "completeness": "Contributions do not add up to the change of the output: raise steps of integrated gradients, or "
    "use them in place of DeepLIFT where the model has operations without a rule.",
}
AUDIT_LEVELS: dict[str, Level] = {"fail": "error", "warn": "warning"}


class Finding(NamedTuple):
    """One banner."""

    level: Level
    title: str
    text: str
    """What it means and what to do."""


def findings(results: RunResults) -> list[Finding]:
    """Run every check on every data set.

    Returns
    -------
    list[Finding]
        Errors first, then warnings, then notes; in each level in the order of data sets and checks.
    """
    found = [finding for dataset in results.datasets for check in CHECKS for finding in check(dataset)]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def diverged_trainings(dataset: DatasetResults) -> Iterator[Finding]:
    """Find trainings whose loss became no number, or ended above where it began."""
    names = [f"{entry.name} ({told})" for entry in dataset.of_kind("model") if (told := divergence(entry))]
    if names:
        yield Finding(
            "error",
            f"{dataset.name}: {plural(len(names), 'training')} diverged",
            f"{listed(names)}. The steps were too large, so the scores say nothing of the architecture. Lower the "
            "learning rate (training.schedule.max_lr under OneCycleLR, else training.optimizer.lr) or set "
            "training.gradient_clip to 1, and train again.",
        )


def divergence(entry: Entry) -> str | None:
    """Say how the loss of a training went wrong; None where it did not.

    Of the validation loss only NaN and infinity count: that it rises while the training loss falls is overfitting.
    """
    history = entry.history
    if history is None or not len(history):
        return None
    for column, loss in (("train_loss", "training loss"), ("validation_loss", "validation loss")):
        wrong = history.loc[~np.isfinite(history[column].to_numpy(float)), "epoch"]
        if len(wrong):
            return f"the {loss} of epoch {int(wrong.iloc[0])} is no number"
    first, last = float(history["train_loss"].iloc[0]), float(history["train_loss"].iloc[-1])
    if last - first > TOLERATED_RISE * abs(first):
        return f"training loss from {number(first)} in epoch 1 to {number(last)} in epoch {len(history)}"
    return None


def unfinished_trainings(dataset: DatasetResults) -> Iterator[Finding]:
    """Find trainings of which the last epoch was kept."""
    names = [f"{entry.name} (epoch {kept_epoch(entry)})" for entry in dataset.of_kind("model") if unfinished(entry)]
    if names:
        yield Finding(
            "warning",
            f"{dataset.name}: {plural(len(names), 'training')} still improving at the last epoch",
            f"{listed(names)}. The scores are lower bounds of what the architecture can do. Raise training.max_epochs "
            "in a variant and compare again.",
        )


def unfinished(entry: Entry) -> bool:
    """Say whether a training was best in its last epoch, so that more epochs might have been better."""
    history = entry.history
    if history is None or len(history) < 2 or watched(entry) is None:
        return False
    return kept_epoch(entry) == int(history["epoch"].iloc[-1])


def models_at_chance(dataset: DatasetResults) -> Iterator[Finding]:
    """Find models whose AUROC cannot be told from chance, the first sign of a training that went nowhere."""
    for entry in dataset.of_kind("model"):
        low, median = entry.summary("auroc", "low"), entry.summary("auroc", "median")
        if median is not None and (low if low is not None else median) <= CHANCE:
            yield Finding(
                "error",
                f"{dataset.name}: {entry.name} is no better than chance",
                f"Its median AUROC is {number(median)} and the interval reaches 0.5. Look at its learning curve: a "
                "flat one asks for another learning rate, a falling one with a poor test score for fewer parameters.",
            )


def models_below_baseline(dataset: DatasetResults) -> Iterator[Finding]:
    """Find models that a baseline beats."""
    baseline = dataset.best_baseline
    if baseline is None:
        return
    metric = METRICS[dataset.headline]
    sign = 1 if metric.larger_is_better else -1
    reference = baseline.summary(dataset.headline, "median")
    names = [
        f"{entry.name} ({number(value)})"
        for entry in dataset.of_kind("model")
        if (value := entry.summary(dataset.headline, "median")) is not None
        and reference is not None
        and sign * value < sign * reference
    ]
    if names:
        yield Finding(
            "warning",
            f"{dataset.name}: the baseline {baseline.label} beats {plural(len(names), 'model')}",
            f"Median {metric.title} of {listed(names)} against {number(reference)}. The network then adds nothing to "
            "it: train longer, on more data, or with windows nearer the size of the binding site.",
        )


def models_above_ceiling(dataset: DatasetResults) -> Iterator[Finding]:
    """Find models better than the truth allows, which only a leak can do."""
    limit = dataset.ceiling.summary("auroc", "high") if dataset.ceiling else None
    for entry in dataset.of_kind("model", "baseline"):
        low = entry.summary("auroc", "low")
        if limit is not None and low is not None and low > limit:
            yield Finding(
                "error",
                f"{dataset.name}: {entry.name} scores above the ceiling",
                "No model of the sequence can beat the rule that generated the labels. Something of the test set has "
                "leaked into training: look at the splits.",
            )


def controls_above_chance(dataset: DatasetResults) -> Iterator[Finding]:
    """Find controls that predict, though they have nothing to predict from."""
    for entry in dataset.of_kind("control"):
        untrained = is_untrained(entry)
        limit = TOLERATED_CONTROL_AUROC["untrained" if untrained else "shuffled"]
        low, median = entry.summary("auroc", "low"), entry.summary("auroc", "median")
        if median is None or median < limit or (low is not None and low <= CHANCE):
            continue
        yield Finding(
            "warning" if untrained else "error",
            f"{dataset.name}: the control {entry.name} scores above chance (median AUROC {number(median)})",
            "Random weights already separate bound from unbound, so base composition does: choose negatives matched "
            "for GC before a score is called learning."
            if untrained
            else "A model trained on shuffled labels must not predict. Test windows are not independent of the "
            "training windows, or labels have leaked into the input.",
        )


def is_untrained(entry: Entry) -> bool:
    """Say whether a control kept its first weights; the others were trained on shuffled labels."""
    return bool((entry.config or {}).get("training", {}).get("max_epochs") == 0)


def controls_with_motifs(dataset: DatasetResults) -> Iterator[Finding]:
    """Find controls whose motifs match a database, and so show what such matches are worth."""
    controls = {entry.key for entry in dataset.of_kind("control")}
    planted = {
        key: [row.name for row in planted_matrix(dataset) if key in row.found] for key in controls if dataset.planted
    }
    for entry in dataset.of_kind("control"):
        matches = sum(counts_as_found(motif) for motif in entry.motifs)
        if planted.get(entry.key):
            yield Finding(
                "warning",
                f"{dataset.name}: the control {entry.name} finds planted motifs: {listed(planted[entry.key])}",
                "It was not taught them, so a match as weak as the control's proves nothing for a trained model. "
                "Compare the q-values: the trained models' should be smaller by orders of magnitude.",
            )
        elif matches:
            yield Finding(
                "warning",
                f"{dataset.name}: the control {entry.name} matches JASPAR with {plural(matches, 'motif')} at q < 0.05",
                "Matches of that kind arise without learning. Believe a model's motif only where no control has the "
                "same family.",
            )


def planted_motifs_missed(dataset: DatasetResults) -> Iterator[Finding]:
    """Find planted motifs that no trained model shows."""
    models = [entry for entry in dataset.of_kind("model") if entry.interpreted and not entry.failed_checks]
    if not dataset.planted or not models:
        return
    keys = {entry.key for entry in models}
    missed = [row.name for row in planted_matrix(dataset) if keys.isdisjoint(row.found)]
    if missed:
        yield Finding(
            "warning",
            f"{dataset.name}: {plural(len(missed), 'planted motif')} found by no model",
            f"{listed(missed)}. The site may be too rare, too weak or too like another: train longer, explain more "
            "windows, or look at the model's score for that factor first.",
        )


def explanations_at_base_rate(dataset: DatasetResults) -> Iterator[Finding]:
    """Find trained models whose attributions do not point at the planted sites."""
    for entry in dataset.of_kind("model"):
        overall = (entry.truth or {}).get("overall") or {}
        score, base = overall.get("auprc"), overall.get("base_rate")
        if score is not None and base is not None and score < 2 * base:
            yield Finding(
                "warning",
                f"{dataset.name}: the explanations of {entry.name} miss the planted sites",
                f"Their AUPRC for planted positions is {number(score)}, little above the {number(base)} of a random "
                "explanation. Do not read its attributions as binding sites.",
            )


def explanations_that_fail(dataset: DatasetResults) -> Iterator[Finding]:
    """Find explanations of trained models that have failed a check; controls claim nothing."""
    for entry in dataset.of_kind("model"):
        for place, checks in enumerate(entry.checks):
            names = failed(checks)
            if names:
                consequence = "Its motifs are left out of this page and of the matches to JASPAR. " if not place else ""
                yield Finding(
                    "warning",
                    f"{dataset.name}: the explanations of {entry.name} by {checks['method']} fail {listed(names)}",
                    f"They are not true of the model. {consequence}"
                    + " ".join(REMEDIES[key] for key in REMEDIES if checks[key]["verdict"] == FAIL),
                )


def targets_without_positives(dataset: DatasetResults) -> Iterator[Finding]:
    """Find targets that cannot be scored because no test window, or every one, is positive."""
    if not dataset.entries or not dataset.kind_metrics.ranked:
        return
    entry = dataset.entries[0]
    names = [target["target"] for target in entry.metrics["targets"] if target["auroc"].get("value") is None]
    if names:
        yield Finding(
            "warning",
            f"{dataset.name}: {plural(len(names), 'target')} cannot be scored",
            f"{listed(names)}: no test window is positive, or none is negative. They are left out of every median. "
            "Choose test chromosomes that hold some of their peaks.",
        )


def strata_that_carry(dataset: DatasetResults) -> Iterator[Finding]:
    """Find scores that one stratum of the test windows carries, or that tell strata apart and not windows."""
    metric = judged_by(dataset.label_kind)
    alone: dict[str, list[str]] = {}
    apart: dict[str, list[str]] = {}
    for entry in dataset.of_kind("model"):
        rows = entry.metrics.get("strata") or []
        whole, low = entry.summary(metric, "median"), entry.summary(metric, "low")
        for row in carrying(rows, whole, low, dataset.label_kind):
            alone.setdefault(f"{row['by']} {row['level']}", []).append(entry.name)
        for by in between(rows, whole, low, dataset.label_kind):
            apart.setdefault(by, []).append(entry.name)
    for stratum, names in alone.items():
        yield Finding(
            "warning",
            f"{dataset.name}: one stratum carries the score of {plural(len(names), 'model')}: {stratum}",
            f"{listed(names)}: without these test windows less than half of what lies above chance is left, or all "
            "positives or all negatives are among them. Report the strata and not the whole, and look at what is "
            "special about these windows.",
        )
    for by, names in apart.items():
        yield Finding(
            "warning",
            f"{dataset.name}: the score of {plural(len(names), 'model')} is mostly that of {by}",
            f"{listed(names)}: within the strata less than half of what lies above chance is left. Draw negatives that "
            f"are matched in it, or report the scores within the strata.",
        )


def audit_verdicts(dataset: DatasetResults) -> Iterator[Finding]:
    """Repeat what the audit found wrong with the split: failures as errors, the rest as warnings.

    Of folds that are scored together the worst speaks for all, with the number of those that are wrong in the same way.
    """
    checks = [check for check in (dataset.audit or {}).get("checks", []) if check["split"] in dataset.audited_splits]
    folds = len({check["split"] for check in checks} - {None})
    for verdict, level in AUDIT_LEVELS.items():
        alike: dict[str, list[Mapping[str, Any]]] = {}
        for check in checks:
            if check["verdict"] == verdict:
                alike.setdefault(check["check"], []).append(check)
        for same in alike.values():
            worst = max(same, key=lambda check: check["value"] or 0.0)
            title = f"{dataset.name}: the audit {verdict}s {worst['title'].lower()}"
            if folds > 1 and worst["split"] is not None:
                title += f" in {len(same)} of {folds} folds"
                yield Finding(level, title, f"The worst, {worst['split']}: {_audited(worst)}")
            else:
                yield Finding(level, title, _audited(worst))


def _audited(check: Mapping[str, Any]) -> str:
    return " ".join(str(check[key]).rstrip(".") + "." for key in ("says", "remedy") if check[key])


def unpinned_sources(dataset: DatasetResults) -> Iterator[Finding]:
    """Find sources whose digest stands in no configuration."""
    names = [source["file"] for source in dataset.sources if not held(source, dataset.contigs_pinned)]
    if names:
        yield Finding(
            "note",
            f"{dataset.name}: {plural(len(names), 'source')} without a pinned digest",
            f"{listed(names)}. A digest recorded at the first download is checked from then on, and a local file not "
            "at all; another machine may have received other data. Copy the digest from the data section into sha256.",
        )


def held(source: Mapping[str, Any], contigs_pinned: bool) -> bool:
    """Say whether a source is held to a digest that somebody has written down.

    That of the whole file, or those of its contigs where it was joined from several addresses.
    """
    return bool(source.get("pinned")) or (contigs_pinned and len(source.get("from") or []) > 1)


CHECKS: tuple[Callable[[DatasetResults], Iterator[Finding]], ...] = (
    diverged_trainings,
    models_at_chance,
    models_above_ceiling,
    controls_above_chance,
    controls_with_motifs,
    unfinished_trainings,
    models_below_baseline,
    planted_motifs_missed,
    explanations_at_base_rate,
    explanations_that_fail,
    targets_without_positives,
    strata_that_carry,
    audit_verdicts,
    unpinned_sources,
)


def kept_epoch(entry: Entry) -> int | None:
    """Return the epoch whose weights were kept; None for an entry that was not trained."""
    if entry.history is None or not len(entry.history):
        return None
    return int((entry.config or {})["kept_epoch"])


def watched(entry: Entry) -> str | None:
    """Return the column of the history that early stopping watched."""
    training = (entry.config or {}).get("training", {})
    if "early_stopping" not in training:
        return "validation_auprc"
    stopping = training["early_stopping"] or {}
    monitor: str | None = stopping.get("monitor")
    return monitor


def listed(names: list[str]) -> str:
    """Join names, the first few of many."""
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown if len(names) <= NAMES_SHOWN else f"{shown} and {len(names) - NAMES_SHOWN:,} more"
