"""What an allele changes, for each kind of labels: the statistics, and their means over shifts and seeds.

=================  ===================================================================================================
labels             statistics of each column (target, or target and class)
=================  ===================================================================================================
binary, class      ``reference``, ``alternative``: probabilities; ``difference``; ``log_odds_ratio``: natural logarithm
                   of the alternative's odds over the reference's
real               ``reference``, ``alternative``: values; ``difference``
profile            ``reference``, ``alternative``: logarithm of 1 + counts; ``log2_fold_change`` of 1 + counts;
                   ``profile_distance``: Jensen-Shannon distance of the profiles, base 2, 0 to 1
position_class     ``gain``, ``loss``: the largest rise and fall of the class's probability at any base of the bin;
                   ``gain_position``, ``loss_position``: where, in bases to the right of REF's first
=================  ===================================================================================================

The *effect*, which the spread over seeds and the percentile are of, is ``difference``, ``log2_fold_change``, or the
larger of ``gain`` and ``loss``.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lociflow.effects.alignment import onto_reference
from lociflow.effects.alleles import Allele
from lociflow.effects.predictions import Predictor, predict_codes
from lociflow.effects.windows import allele_offset, allele_windows, same_lengths
from lociflow.evaluation.strands import names_by_strand
from lociflow.models.heads import central
from lociflow.models.outputs import Outputs
from lociflow.sequence.store import SequenceStore

STATISTICS = {
    "binary": ("reference", "alternative", "difference", "log_odds_ratio"),
    "class": ("reference", "alternative", "difference", "log_odds_ratio"),
    "real": ("reference", "alternative", "difference"),
    "profile": ("reference", "alternative", "log2_fold_change", "profile_distance"),
    "position_class": ("gain", "gain_position", "loss", "loss_position"),
}
LN2 = np.log(2)

# Codes of windows that are held at once, and alleles whose effects are: memory does not grow with the file.
CHUNK_BASES = 1 << 23
CHUNK = 1024

Predicted = tuple[np.ndarray, ...]


class Effects(NamedTuple):
    """The effects of some alleles, each array ``float64`` of shape ``(alleles, columns)``."""

    statistics: dict[str, np.ndarray]
    """By the names in :data:`STATISTICS`: means over shifts and seeds. NaN: there is none."""
    effect: np.ndarray
    """What spread and percentile are of."""
    spread: np.ndarray
    """Standard deviation of the effect over the seeds (n - 1); NaN of one seed."""


def effect_columns(predictor: Predictor) -> tuple[str, ...]:
    """Return the names of the columns that have effects, as tracks are called.

    Classes without the background of per-base labels; those of each strand where the data set's bins have one.
    """
    outputs, names = predictor.outputs, predictor.outputs.columns
    if outputs.kind == "position_class":
        names = tuple(column for group in outputs.groups for column in outputs.columns[group][1:])
    return tuple(names_by_strand(names, predictor.strands))


def chunk_size(predictor: Predictor) -> int:
    """Return how many alleles are scored together, by the bases of a window: whole batches."""
    batch = predictor.batch_size
    return max(1, min(CHUNK, CHUNK_BASES // predictor.length) // batch) * batch


def score_alleles(
    predictors: Sequence[Predictor], store: SequenceStore, alleles: Sequence[Allele], shifts: Sequence[int]
) -> Effects:
    """Score some alleles with all seeds of a model.

    Parameters
    ----------
    predictors
        One a seed, of the same outputs and input length.
    store
        The genome.
    alleles
        At least one; all are held in memory, see :func:`chunk_size`.
    shifts
        Bases by which windows are moved to the right; each allele's effects are averaged over them.
    """
    outputs, length = predictors[0].predicted, predictors[0].length
    windows = [(shift, *allele_windows(store, alleles, length, shift)) for shift in shifts]
    predicted = [
        [
            (shift, predict_codes(predictor, reference), predict_codes(predictor, alternative))
            for shift, reference, alternative in windows
        ]
        for predictor in predictors
    ]
    if outputs.kind == "position_class":
        seeds = [change_along(found, outputs, alleles, length) for found in predicted]
        statistics = _largest_changes(np.stack(seeds), min(shifts) + _bin_start(outputs, length))
        each = np.stack([np.maximum(*_gain_and_loss(change)) for change in seeds])
    else:
        kinds: dict[str, Callable[..., dict[str, np.ndarray]]] = {
            "binary": _odds,
            "class": _odds,
            "real": _values,
            "profile": _profiles,
        }
        changes = kinds[outputs.kind]
        per_seed = [
            _means([changes(before, after, alleles, shift, outputs, length) for shift, before, after in found])
            for found in predicted
        ]
        statistics = _means(per_seed)
        main = effect_name(outputs.kind)
        each = np.stack([found[main] for found in per_seed])
    spread = each.std(axis=0, ddof=1) if len(each) > 1 else np.full(each.shape[1:], np.nan)
    return Effects(statistics, each.mean(axis=0), spread)


def effect_name(kind: str) -> str:
    """Return what the effect of a kind of labels is called."""
    return {"profile": "log2_fold_change", "position_class": "larger of gain and loss"}.get(kind, "difference")


def _means(found: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}


def _odds(before: Predicted, after: Predicted, *_: object) -> dict[str, np.ndarray]:
    reference, alternative = np.exp(before[0]), np.exp(after[0])
    ratio = (after[0] - after[1]) - (before[0] - before[1])
    return {
        "reference": reference,
        "alternative": alternative,
        "difference": alternative - reference,
        "log_odds_ratio": ratio,
    }


def _values(before: Predicted, after: Predicted, *_: object) -> dict[str, np.ndarray]:
    reference, alternative = before[0].astype(np.float64), after[0].astype(np.float64)
    return {"reference": reference, "alternative": alternative, "difference": alternative - reference}


def _profiles(
    before: Predicted, after: Predicted, alleles: Sequence[Allele], shift: int, outputs: Outputs, length: int
) -> dict[str, np.ndarray]:
    reference, alternative = before[1].astype(np.float64), after[1].astype(np.float64)
    one = before[0].astype(np.float64)
    other = _aligned(after[0], alleles, shift, outputs, length, np.sum)
    return {
        "reference": reference,
        "alternative": alternative,
        "log2_fold_change": (alternative - reference) / LN2,
        "profile_distance": profile_distance(one, other),
    }


def profile_distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon distance of profiles, base 2, over the positions that both have.

    Parameters
    ----------
    one, other
        ``float64``, shape ``(n, positions, columns)``; NaN where a profile does not reach. Each is scaled to a sum of 1
        over what is compared.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, columns)``; NaN where one of the two is 0 everywhere.
    """
    known = ~np.isnan(other)
    shares = [np.where(known, profile, 0) for profile in (one, other)]
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (share / share.sum(axis=1, keepdims=True) for share in shares)
        middle = (first + second) / 2
        parts = [np.where(share > 0, share * np.log2(share / middle), 0).sum(axis=1) for share in (first, second)]
    found = np.sqrt(np.maximum(parts[0] + parts[1], 0) / 2)
    nothing = np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1)
    return np.asarray(np.where(nothing, np.nan, found))


def change_along(
    found: Sequence[tuple[int, Predicted, Predicted]], outputs: Outputs, alleles: Sequence[Allele], length: int
) -> np.ndarray:
    """Return how the probabilities of per-base classes change, mean over shifts.

    Parameters
    ----------
    found
        Of each shift the shift and the predictions of both windows.
    outputs, alleles, length
        The model's outputs, the alleles and the bases of a window.

    Returns
    -------
    numpy.ndarray
        Shape ``(alleles, positions + largest shift - smallest, columns)``: alternative less reference at each base of
        the genome that a bin covers, from the left end of the bin that lies furthest to the left; NaN where none of the
        alternative windows reaches.
    """
    shifts = [shift for shift, _, _ in found]
    kept = [number for group in outputs.groups for number in range(group.start + 1, group.stop)]
    width = outputs.positions + max(shifts) - min(shifts)
    total, times = np.zeros((2, len(alleles), width, len(kept)))
    for shift, before, after in found:
        change = _aligned(after[0], alleles, shift, outputs, length, np.max) - before[0].astype(np.float64)
        change = change[..., kept]
        covered = slice(shift - min(shifts), shift - min(shifts) + outputs.positions)
        known = ~np.isnan(change)
        total[:, covered] += np.where(known, change, 0)
        times[:, covered] += known
    with np.errstate(invalid="ignore"):
        return np.asarray(total / times)


def _aligned(
    track: np.ndarray,
    alleles: Sequence[Allele],
    shift: int,
    outputs: Outputs,
    length: int,
    together: Callable[..., np.ndarray],
) -> np.ndarray:
    first = allele_offset(length, shift) - central(length, outputs.positions).start
    found = track.astype(np.float64)
    for (before, after), rows in same_lengths(alleles).items():
        if before != after:
            found[rows] = onto_reference(found[rows], first, before, after, together)
    return found


def _bin_start(outputs: Outputs, length: int) -> int:
    """Return where the bin of a window that is not moved begins, in bases to the right of REF's first."""
    return central(length, outputs.positions).start - allele_offset(length, 0)


def _gain_and_loss(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    unknown = np.isnan(change)
    gain = np.where(unknown, 0, change).max(axis=-2)
    loss = np.where(unknown, 0, -change).max(axis=-2)
    return np.maximum(gain, 0), np.maximum(loss, 0)


def _largest_changes(seeds: np.ndarray, begin: int) -> dict[str, np.ndarray]:
    """Return gain and loss, means over seeds, and where the mean over seeds rises and falls most."""
    gain, loss = (found.mean(axis=0) for found in _gain_and_loss(seeds))
    mean = np.nan_to_num(seeds.mean(axis=0))
    return {
        "gain": gain,
        "gain_position": np.where(gain > 0, mean.argmax(axis=1) + begin, np.nan),
        "loss": loss,
        "loss_position": np.where(loss > 0, mean.argmin(axis=1) + begin, np.nan),
    }
