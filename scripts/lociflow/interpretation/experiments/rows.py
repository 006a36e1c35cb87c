"""Global importance experiments on one model: every motif, pair and target, as rows of a table."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import false_discovery_control
from torch import Tensor, nn

from lociflow.interpretation.experiments.ablation import ablation, find_sites
from lociflow.interpretation.experiments.insertion import insertion
from lociflow.interpretation.experiments.mean_effects import MeanEffect, against_zero, mean_effect
from lociflow.interpretation.experiments.sites import draw_sites, shuffled_sites
from lociflow.interpretation.experiments.spacing_effects import ORIENTATIONS, fitting_gaps, interaction
from lociflow.interpretation.experiments.spacing_rule import check_rule
from lociflow.interpretation.motifs.meme import Motif

PARTS = ("effect", "null", "excess")


class Subject(NamedTuple):
    """What is asked, and how numbers are summed up."""

    model: nn.Module
    """Scalars of sequence, in evaluation mode, on ``device``."""
    names: tuple[str, ...]
    """Of the scalars that are reported."""
    columns: list[int]
    """Their columns."""
    device: torch.device
    seed: int
    draws: int
    """Of the bootstrap."""
    level: float
    """Of intervals."""


class Positives(NamedTuple):
    """Test windows that have a label."""

    windows: Tensor
    """One-hot, shape ``(n, 4, length)``."""
    bins: np.ndarray
    """Their bins, ``int64``."""


def insertions(subject: Subject, motifs: Sequence[Motif], backgrounds: Tensor, source: str) -> list[dict[str, Any]]:
    """Put every motif into every background.

    Parameters
    ----------
    subject
        The model.
    motifs
        All narrower than the backgrounds.
    backgrounds
        One-hot, shape ``(n, 4, length)``.
    source
        As :func:`lociflow.interpretation.experiments.sites.draw_sites`.

    Returns
    -------
    list of dict
        A row a motif and target: ``motif``, ``target``, ``sequences``, ``effect``, ``null`` (of the shuffled motif) and
        ``excess``, their difference, each with ``_low`` and ``_high``, ``p`` and ``q`` of the excess.
    """
    rows: list[dict[str, Any]] = []
    for number, motif in enumerate(motifs):
        sites = draw_sites(motif.pwm, len(backgrounds), subject.seed, number, source)
        shuffled = shuffled_sites(sites, subject.seed, number)
        found = insertion(subject.model, backgrounds, sites, shuffled, subject.device)
        effects, nulls = found.change.numpy()[:, subject.columns], found.null.numpy()[:, subject.columns]
        scale = float(found.before.abs().max())
        for place, target in enumerate(subject.names):
            rows.append(
                {
                    "motif": motif.name,
                    "target": target,
                    "sequences": len(backgrounds),
                    **_compared(subject, effects[:, place], nulls[:, place], scale),
                }
            )
    return corrected(rows)


def pairs_of(motifs: Sequence[Motif], named: Sequence[Sequence[str]] | None, most: int) -> list[tuple[int, int]]:
    """Return the pairs of motifs that are asked about: those named, or all of the first ``most`` motifs.

    Raises
    ------
    ValueError
        A name is not that of a motif; the message says which.
    """
    names = [motif.name for motif in motifs]
    if named is None:
        among = range(min(most, len(motifs)))
        return [(first, second) for first in among for second in among if first < second]
    if unknown := [name for pair in named for name in pair if name not in names]:
        raise ValueError(f"found {unknown[0]}, expected two of {', '.join(names) or 'no motifs'}")
    return [(names.index(first), names.index(second)) for first, second in named]


def interactions(
    subject: Subject,
    motifs: Sequence[Motif],
    pairs: Sequence[tuple[int, int]],
    backgrounds: Tensor,
    gaps: Sequence[int],
    source: str,
    rule: Mapping[str, Any] | None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Put every pair into every background, at every gap and in every orientation.

    Parameters
    ----------
    subject, motifs, backgrounds, source
        As :func:`insertions`.
    pairs
        Numbers of the two motifs of each.
    gaps
        Bases between the two; those that do not fit are left out.
    rule
        ``simulation.pair`` of a simulated genome, or None.

    Returns
    -------
    rows : list of dict
        A row a pair, orientation, gap and target: ``motif``, ``second``, ``orientation``, ``gap``, ``target``,
        ``sequences``, ``effect`` with ``_low`` and ``_high``, ``p`` and ``q``.
    rules : list of dict
        The verdict on each pair that was planted: ``motif``, ``second``, ``target`` and what
        :func:`lociflow.interpretation.experiments.spacing_rule.check_rule` returns.
    """
    rows: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    sites = {
        number: draw_sites(motifs[number].pwm, len(backgrounds), subject.seed, number, source)
        for number in sorted({number for pair in pairs for number in pair})
    }
    for first, second in pairs:
        width = sites[first].shape[2] + sites[second].shape[2]
        fitting = fitting_gaps(gaps, width, backgrounds.shape[2])
        if not fitting:
            continue
        found = interaction(subject.model, backgrounds, sites[first], sites[second], fitting, subject.device)
        values = found.values.numpy()[..., subject.columns].astype(np.float64)
        effect = mean_effect(values, subject.draws, subject.level, subject.seed)
        p = against_zero(values, found.scale)
        named = {"motif": motifs[first].name, "second": motifs[second].name}
        rows += [
            {
                **named,
                "orientation": strands,
                "gap": gap,
                "target": target,
                "sequences": len(backgrounds),
                **_named("effect", effect, (turn, place, column)),
                "p": float(p[turn, place, column]),
            }
            for turn, strands in enumerate(ORIENTATIONS)
            for place, gap in enumerate(fitting)
            for column, target in enumerate(subject.names)
        ]
        if rule and {*named.values()} == {rule["factor"], rule["partner"]} and rule["factor"] in subject.names:
            of_factor = values[..., subject.names.index(rule["factor"])]
            verdict = check_rule(of_factor, named["motif"], fitting, rule, subject.draws, subject.level, subject.seed)
            rules.append({**named, "target": rule["factor"], **verdict})
    return corrected(rows), rules


def ablations(
    subject: Subject, motifs: Sequence[Motif], positives: Sequence[Positives], p: float, shuffles: int
) -> list[dict[str, Any]]:
    """Take every motif out of the windows that have each target's label.

    Parameters
    ----------
    subject, motifs
        As :func:`insertions`.
    positives
        Windows of each reported scalar, in their order.
    p
        The highest p-value of a site.
    shuffles
        Per window.

    Returns
    -------
    list of dict
        As :func:`insertions`, with ``windows`` (looked at), ``sequences`` (those with sites), ``sites`` and ``full``
        (windows with sites and no room for a null); effects are falls, None where no window has a site.
    """
    rows: list[dict[str, Any]] = []
    pwms = {motif.name: motif.pwm for motif in motifs}
    for column, target, of_target in zip(subject.columns, subject.names, positives, strict=True):
        marked = find_sites(pwms, of_target.windows, p)
        for motif in motifs:
            found = ablation(
                subject.model, of_target.windows, of_target.bins, marked[motif.name], shuffles, subject.seed,
                subject.device,
            )  # fmt: skip
            row = {
                "motif": motif.name,
                "target": target,
                "windows": len(of_target.bins),
                "sequences": len(found.windows),
                "sites": found.sites,
                "full": found.full,
            }
            if len(found.windows):
                effects, nulls = found.fall.numpy()[:, column], found.null.numpy()[:, column]
                row |= _compared(subject, effects, nulls, float(found.before.abs().max()))
            else:
                row |= {f"{part}{end}": None for part in PARTS for end in ("", "_low", "_high")} | {"p": None}
            rows.append(row)
    return corrected(rows)


def corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add ``q``, the p-value of each row by Benjamini and Hochberg over all rows; None where there is no p-value."""
    known = [row for row in rows if row["p"] is not None]
    values = false_discovery_control([row["p"] for row in known]) if known else []
    q = {id(row): float(value) for row, value in zip(known, values, strict=True)}
    return [{**row, "q": q.get(id(row))} for row in rows]


def _compared(subject: Subject, effects: np.ndarray, nulls: np.ndarray, scale: float) -> dict[str, Any]:
    parts = zip(PARTS, (effects, nulls, effects - nulls), strict=True)
    found = {name: mean_effect(values, subject.draws, subject.level, subject.seed) for name, values in parts}
    p = float(against_zero(effects - nulls, scale))
    return {**{key: value for name in PARTS for key, value in _named(name, found[name], ()).items()}, "p": p}


def _named(name: str, effect: MeanEffect, place: tuple[int, ...]) -> dict[str, float | None]:
    ends = {"": effect.mean[place], "_low": effect.low[place], "_high": effect.high[place]}
    return {f"{name}{end}": float(value) if np.isfinite(value) else None for end, value in ends.items()}
