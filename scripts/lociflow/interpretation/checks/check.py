"""Check whether an explanation follows the weights, whether the prediction follows it, and whether it adds up."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lociflow.command import UserError, status, write_json
from lociflow.formats import stamp
from lociflow.instantiate import instantiate
from lociflow.interpretation.attribute import Method, explain
from lociflow.interpretation.attributions import Attributions, contrasts_of, observed_contributions, read_attributions
from lociflow.interpretation.checks.deletion_curves import Curves, areas, follow, in_shares, orders, position_counts
from lociflow.interpretation.checks.verdicts import KIND, NOT_APPLICABLE, above, below, failed
from lociflow.interpretation.checks.weight_randomisation import randomised
from lociflow.interpretation.checks.window_means import spearman, window_mean
from lociflow.interpretation.references import dinucleotide_shuffled
from lociflow.interpretation.scalars import scalar_model
from lociflow.interpretation.settings import read_settings
from lociflow.models.checkpoint import load_model
from lociflow.models.device import resolve_device
from lociflow.sequence.one_hot import one_hot

# Sets these draws apart from others with the same seed.
PURPOSE = 0xC4EC

# Largest relative gap by name of the method; ``other`` for those that are not named.
GAPS = {"integrated_gradients": 0.1, "deep_lift_shap": 0.05, "other": 0.1}

# An interval from fewer windows says nothing.
MIN_WINDOWS = 10


class CheckConfig(NamedTuple):
    """What the step is told: the method as the attributions were made with it, and how much to check."""

    method: str
    """Name of the method."""
    call: Mapping[str, Any]
    """How it is called: ``_target_`` and its own arguments."""
    windows: int = 50
    """Explained windows that are looked at, all targets together."""
    randomised_windows: int = 16
    """How many of them are explained again with each randomised model."""
    stages: int = 6
    """Randomised models: with more layers than that, neighbours are randomised together."""
    similarity: float = 0.5
    """What the similarity must fall below when all layers are randomised."""
    steps: int = 10
    """Of the deletion and insertion curves."""
    gaps: Mapping[str, float] = GAPS
    """As :data:`GAPS`."""
    references: int = 4
    """Dinucleotide shuffles that replace a window's bases, averaged over."""
    seed: int = 1
    """Of all draws, and of the references of the method."""
    threads: int = 1
    """Of torch: part of the configuration, because it changes the last bits."""


def check_explanations(
    attributions: Path, checkpoint: Path, config: Mapping[str, Any], checks: Path, device: str = "cpu"
) -> None:
    """Check the attributions of one model by one method.

    Parameters
    ----------
    attributions
        What is checked, as :func:`lociflow.interpretation.attributions.read_attributions` reads it.
    checkpoint
        The model that they are of.
    config
        As :class:`CheckConfig`.
    checks
        JSON to write: ``method``, ``windows`` (looked at), and of each of ``randomisation``, ``deletion``,
        ``insertion`` and ``completeness`` what :func:`check_randomisation`, :func:`check_curves` and
        :func:`check_completeness` return.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        A file cannot be read, or the attributions are of another model.
    """
    settings = read_settings(CheckConfig, "checks", config)
    torch.set_num_threads(settings.threads)
    found = read_attributions(attributions)
    model, names = scalar_model(load_model(checkpoint), contrasts_of(found))
    for target in found.meta["targets"]:
        if target["column"] >= len(names) or names[target["column"]] != target["target"]:
            raise UserError(
                f"{attributions}: explains {target['target']} as column {target['column']}, expected one of the "
                f"columns of {checkpoint}: {', '.join(names)}; run snakemake again to rebuild it"
            )
    model = model.to(resolve_device(device))
    method: Method = instantiate({"_partial_": True, **settings.call})
    rows = choose_rows(found.target, settings.windows, settings.seed)
    some = rows_of(found, rows)
    fewer = rows_of(found, choose_rows(found.target, settings.randomised_windows, settings.seed))
    result = {
        "method": settings.method,
        "windows": len(rows),
        "randomisation": check_randomisation(model, method, fewer, settings),
        **check_curves(model, some, settings),
        "completeness": check_completeness(found.meta, settings),
    }
    write_json(checks, {**stamp(KIND), **result})
    wrong = failed(result)
    status(f"{settings.method}: " + (f"failed {', '.join(wrong)}" if wrong else "no check failed"))


def choose_rows(target: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Choose explained windows at random, as many of each target as there are, ``count`` in all where possible.

    Parameters
    ----------
    target
        Column of each explained window, shape ``(n,)``.
    count
        Windows, at most; at least one of each target.
    seed
        At least 0.

    Returns
    -------
    numpy.ndarray
        Rows, ``int64``, ascending; fewer windows are always among those of a larger ``count``.
    """
    columns = np.unique(target)
    chosen = [
        np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, 0, int(column)])).permutation(
            np.flatnonzero(target == column)
        )[: max(1, math.ceil(count / len(columns)))]
        for column in columns
    ]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *chosen]))


def rows_of(found: Attributions, rows: np.ndarray) -> Attributions:
    """Return some of the explained windows."""
    return Attributions(found.bin[rows], found.target[rows], found.codes[rows], found.hypothetical[rows], found.meta)


def check_randomisation(model: nn.Module, method: Method, found: Attributions, settings: CheckConfig) -> dict[str, Any]:
    """Explain again with more and more layers randomised; the explanations must no longer be those of the model.

    Likeness is the mean over windows of Spearman's correlation of the contributions' absolute values, the measure of
    Adebayo et al. (2018), who name no threshold. The default, 0.5, lies between what was measured: trained
    convolutional and recurrent networks and the same with all layers randomised have 0 to 0.25 in common by the four
    methods of this package, two untrained networks of one architecture 0 to 0.15, because references and the edges of a
    window are the same; a picture of the input has 1.

    Parameters
    ----------
    model, method
        What was explained, and how.
    found
        Explained windows.
    settings
        ``stages``, ``seed`` and ``similarity``.

    Returns
    -------
    dict
        ``value``: the likeness when all layers are randomised, ``low`` and ``high`` of its interval, ``threshold``,
        ``verdict``, ``windows``, and ``stages``: ``layers`` that are newly randomised and ``similarity``, from the
        output down.
    """
    stages: list[dict[str, Any]] = []
    columns = np.unique(found.target)
    real = np.abs(observed_contributions(found.codes, found.hypothetical))
    last = window_mean(np.empty(0), settings.seed)
    window = torch.from_numpy(one_hot(found.codes[:1]))
    for stage in randomised(model, window, settings.stages, settings.seed) if len(found.bin) else ():
        again = np.empty_like(real)
        for column in columns:
            rows = np.flatnonzero(found.target == column)
            explained = explain(
                stage.model, method, found.codes[rows], found.bin[rows], int(column), settings.seed
            ).hypothetical
            again[rows] = np.abs(observed_contributions(found.codes[rows], explained.numpy()))
        last = window_mean(spearman(real, again), settings.seed)
        stages.append({"layers": stage.layers, "similarity": last.value})
    return {
        **_numbers(last._asdict()),
        "threshold": settings.similarity,
        "verdict": below(last.value, settings.similarity) if stages else NOT_APPLICABLE,
        "windows": len(found.bin),
        "stages": stages,
    }


def check_curves(model: nn.Module, found: Attributions, settings: CheckConfig) -> dict[str, Any]:
    """Replace positions in the order of their contributions and at random; the first must matter more.

    Parameters
    ----------
    model
        What was explained.
    found
        Explained windows.
    settings
        ``steps``, ``references`` and ``seed``.

    Returns
    -------
    dict
        ``deletion`` and ``insertion``, each with ``value``: the area between the curves in shares of the change from
        references to windows, mean over windows, ``low`` and ``high`` of its interval, ``threshold``: 0, ``verdict``,
        ``windows``, and the mean curves ``positions`` (share that is replaced), ``top`` and ``random``.
    """
    counts = position_counts(found.codes.shape[1], settings.steps)
    replace = partial(dinucleotide_shuffled, shuffles=settings.references)
    parts = []
    for column in np.unique(found.target):
        rows = np.flatnonzero(found.target == column)
        codes, bins = found.codes[rows], found.bin[rows]
        windows = torch.from_numpy(one_hot(codes))
        top, random = orders(observed_contributions(codes, found.hypothetical[rows]), bins, settings.seed)
        references = replace(windows, bins, settings.seed)
        parts.append(in_shares(follow(model, int(column), windows, references, top, random, counts)))
    nothing = Curves(*(np.empty((0, len(counts))) for _ in Curves._fields))
    curves = Curves(*(np.concatenate(arrays) for arrays in zip(nothing, *parts, strict=True)))
    kinds = {
        "deletion": (curves.deletion, curves.deletion_random),
        "insertion": (curves.insertion, curves.insertion_random),
    }
    result = {}
    for (name, (top, random)), area in zip(kinds.items(), areas(curves), strict=True):
        mean = window_mean(area, settings.seed)
        result[name] = {
            **_numbers(mean._asdict()),
            "threshold": 0.0,
            "verdict": above(mean.low, 0.0) if len(area) >= MIN_WINDOWS else NOT_APPLICABLE,
            "windows": len(area),
            "positions": (counts / counts[-1]).tolist(),
            "top": top.mean(axis=0).tolist() if len(area) else [],
            "random": random.mean(axis=0).tolist() if len(area) else [],
        }
    return result


def check_completeness(meta: Mapping[str, Any], settings: CheckConfig) -> dict[str, Any]:
    """Compare how far the sums of contributions miss the change of the output that they should add up to.

    The rescale rule of DeepLIFT is exact but for rounding where every operation has a rule, so that 5 % can only come
    from an operation that was taken for linear. Integrated gradients are a sum for an integral: Sundararajan et al.
    (2017) ask for steps until it is within 5 % for one window and one reference; here gaps are averages of absolute
    values over windows and shuffles, of which some hardly change the output, and 10 % is the limit.

    Parameters
    ----------
    meta
        Of the attributions: ``gap`` and ``change`` of each target.
    settings
        ``method`` and ``gaps``.

    Returns
    -------
    dict
        ``value``: the mean gap of all windows over their mean change, ``threshold`` and ``verdict``, ``worst``: the
        target with the largest relative gap. None, and not applicable, where the method promises no sum.
    """
    threshold = settings.gaps.get(settings.method, settings.gaps["other"])
    targets = [target for target in meta["targets"] if target["quality"]["gap"] is not None]
    gap, change = (sum(target["quality"][name] * target["windows"] for target in targets) for name in ("gap", "change"))
    if not targets or not change:
        return {"value": None, "threshold": threshold, "verdict": NOT_APPLICABLE, "worst": None}
    worst = max(targets, key=lambda target: target["quality"]["relative_gap"] or 0.0)["target"]
    return {"value": gap / change, "threshold": threshold, "verdict": below(gap / change, threshold), "worst": worst}


def _numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
