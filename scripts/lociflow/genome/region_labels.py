"""Labels of bins from regions: peaks of many targets, or the parts of an annotation."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.annotation_features import annotation_regions
from lociflow.genome.contig_names import some
from lociflow.genome.labels import LabelRule, believed, class_labels, label_bins, marks_a_bin, position_classes
from lociflow.genome.settings import check_keys
from lociflow.genome.target_labels import Labeller, TargetLabels
from lociflow.genome.target_peaks import TargetPeaks, read_target_peaks
from lociflow.sequence.store import SequenceStore

KEYS = (
    "kind", "min_overlap", "ignore_overlap", "score", "positive_score", "ignore_score", "background",
    "allow_empty_targets",
)  # fmt: skip
SCORES = ("score", "signal_value", "p_value", "q_value")


def region_labels(
    config: Mapping[str, Any],
    sources: Path,
    sheet: Path | None,
    store: SequenceStore,
    aliases: Mapping[str, str | None],
) -> TargetLabels:
    """Read the regions of a data set's targets and say how they label its bins.

    Parameters
    ----------
    config
        ``targets`` (sheet, files, named or annotation; ``negative_only`` names those whose regions make bins but are
        nothing to predict) and ``labels`` of the data set: ``kind`` "binary" (a column a target), "class" (one column:
        the target whose region covers the bin) or "position_class" (the target whose region covers each base).
    sources
        Folder in which the files lie.
    sheet
        Sample sheet, where ``targets`` asks for one.
    store, aliases
        The genome, and other names of its contigs.

    Raises
    ------
    UserError
        A key or value is bad, or as :func:`lociflow.genome.target_peaks.read_target_peaks`.
    """
    labels = dict(config.get("labels") or {})
    check_keys(labels, KEYS, "labels")
    kind = labels.get("kind", "binary")
    targets = dict(config["targets"])
    negative_only = [str(name) for name in targets.pop("negative_only", None) or []]
    allow_empty = bool(labels.get("allow_empty_targets"))
    found = (
        _annotated(targets["annotation"], sources, store, aliases)
        if "annotation" in targets
        else read_target_peaks(targets, sources, sheet, store, aliases, allow_empty)
    )
    rule = label_rule(labels)
    _check_scores(found.peaks, rule)
    anchors = _anchors(found.peaks, rule, negative_only)
    predicted = _without(found, negative_only)
    background = str(labels.get("background", "background"))
    classes = [[background, *predicted.targets]]
    if kind != "binary" and background in predicted.targets:
        raise UserError(f"labels.background: found {background!r}, which is also a target; name the class otherwise")
    regions = _by_contig(predicted.peaks[["contig", "start", "end", "strand", "target", rule.score]])
    label: Labeller
    if kind == "binary":
        label = lambda bins: label_bins(bins, regions(bins), rule)  # noqa: E731
    elif kind == "class":
        label = lambda bins: class_labels(bins, regions(bins), rule)  # noqa: E731
    elif kind == "position_class":
        label = lambda bins: position_classes(bins, regions(bins))  # noqa: E731
    else:
        raise UserError(f"labels.kind: found {kind!r}, expected binary, class or position_class for regions")
    return TargetLabels(
        names=predicted.targets if kind == "binary" else ["class"],
        kind=kind,
        label=label,
        anchors=anchors,
        classes=None if kind == "binary" else classes,
        counts={
            "files": found.files,
            "read": dict(zip(found.targets, found.read, strict=True)),
            "on_genome": len(found.peaks),
            "below_ignore_score": int((~anchors["makes_bin"]).sum()),
        },
        metadata=predicted.metadata if kind == "binary" else pd.DataFrame(index=range(1)),
        kept_anchors=lambda bins: marks_a_bin(bins, found.peaks, rule.min_overlap) & anchors["makes_bin"].to_numpy(),
        by_contig=False,
    )


def _annotated(
    config: Mapping[str, Any], sources: Path, store: SequenceStore, aliases: Mapping[str, str | None]
) -> TargetPeaks:
    found = annotation_regions(config, Path(sources, config["source"]["file"]), store, aliases)
    # The group of the bins that are centred on a region or tile it; tiles of the whole genome have none.
    regions = found.regions.assign(group=pd.Categorical(found.regions["name"].replace("", None)))
    counts = {**found.counts, "target": None, "read": sum(found.read)}
    return TargetPeaks(found.names, regions, found.read, [counts], pd.DataFrame(index=range(len(found.names))))


def label_rule(labels: Mapping[str, Any]) -> LabelRule:
    """Check what a data set's ``labels`` say of when a bin is positive.

    Raises
    ------
    UserError
        A value is out of range.
    """
    min_overlap = labels.get("min_overlap", 0.5)
    if not _is_number(min_overlap) or not 0 < min_overlap <= 1:
        raise UserError(f"labels.min_overlap: found {min_overlap!r}, expected a fraction above 0 and up to 1")
    ignore_overlap = labels.get("ignore_overlap")
    if ignore_overlap is not None and (not _is_number(ignore_overlap) or not 0 <= ignore_overlap < min_overlap):
        raise UserError(
            f"labels.ignore_overlap: found {ignore_overlap!r}, expected null or a fraction from 0 to below "
            f"min_overlap ({min_overlap})"
        )
    score = labels.get("score", "score")
    if score not in SCORES:
        raise UserError(f"labels.score: found {score!r}, expected one of {', '.join(SCORES)}")
    thresholds = {}
    for key in ("positive_score", "ignore_score"):
        thresholds[key] = labels.get(key)
        if thresholds[key] is not None and not _is_number(thresholds[key]):
            raise UserError(f"labels.{key}: found {thresholds[key]!r}, expected a number or null")
    positive, ignore = thresholds["positive_score"], thresholds["ignore_score"]
    if ignore is not None and (positive is None or ignore > positive):
        raise UserError(
            f"labels.ignore_score: found {ignore!r} with positive_score {positive!r}, expected a number that is not "
            "above positive_score: peaks between the two are ignored"
        )
    return LabelRule(min_overlap, ignore_overlap, score, positive, ignore)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_scores(peaks: pd.DataFrame, rule: LabelRule) -> None:
    if rule.positive_score is None or not peaks[rule.score].isna().any():
        return
    row = peaks[peaks[rule.score].isna()].iloc[0]
    raise UserError(
        f"labels.positive_score: found a peak of {row['target']} without {rule.score} ({row['contig']}:{row['start']}-"
        f"{row['end']}), expected a number for every peak; set positive_score to null, or choose another labels.score"
    )


def _without(found: TargetPeaks, names: list[str]) -> TargetPeaks:
    if not names:
        return found
    if unknown := [name for name in names if name not in found.targets]:
        raise UserError(
            f"targets.negative_only: found {unknown[0]!r}, expected names of the data set's targets "
            f"({some(found.targets)})"
        )
    kept = [number for number, target in enumerate(found.targets) if target not in names]
    if not kept:
        raise UserError("targets.negative_only: found all targets, expected at least one that is left to predict")
    targets = [found.targets[number] for number in kept]
    peaks = found.peaks[~found.peaks["target"].isin(names)].reset_index(drop=True)
    peaks = peaks.assign(target=peaks["target"].cat.set_categories(targets))
    metadata = found.metadata.iloc[kept].reset_index(drop=True)
    return TargetPeaks(targets, peaks, [found.read[number] for number in kept], found.files, metadata)


def _anchors(peaks: pd.DataFrame, rule: LabelRule, negative_only: list[str]) -> pd.DataFrame:
    """Tell peaks that are none, and those whose bins are not positive, from the others."""
    strong, weak = believed(peaks, rule)
    return peaks.assign(makes_bin=strong | weak, positive=strong & ~peaks["target"].isin(negative_only).to_numpy())


def _by_contig(peaks: pd.DataFrame) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that gives the peaks on the contigs of some bins, which are sorted by contig."""
    order = np.argsort(peaks["contig"].cat.codes.to_numpy(), kind="stable")
    peaks = peaks.iloc[order].reset_index(drop=True)
    contig = peaks["contig"].cat.codes.to_numpy()

    def among(bins: pd.DataFrame) -> pd.DataFrame:
        if not len(bins):
            return peaks.iloc[:0]
        codes = bins["contig"].cat.codes.to_numpy()
        # In the contigs' own type: another one would be converted anew for each block.
        edges = np.array([codes.min(), codes.max()], dtype=contig.dtype)
        return peaks.iloc[np.searchsorted(contig, edges[0]) : np.searchsorted(contig, edges[1], side="right")]

    return among
