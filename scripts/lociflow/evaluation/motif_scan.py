"""Baseline: the best match of one known motif in the bin, the motif of each target chosen on the labels.

A matrix scores a place by its log odds against independent background bases, on the strand where they are higher
(Stormo 2000, doi:10.1093/bioinformatics/16.1.16); a bin has the score of its best place. A match counts for the bin
in which its centre lies, whole or not, so that windows here are longer than bins by one less than the motif's width.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numba
import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.evaluation.logistic import fit_path, predict_logits
from lociflow.evaluation.metrics import auprc
from lociflow.evaluation.predictions import SCORED, prediction_table
from lociflow.genome.placement import Placement, place_windows, window_codes
from lociflow.sequence.store import SequenceStore

BASES = 4
LETTER = 0x7F
# Windows of which the letters are held at once.
ROWS = 8192
# Positives of a target by which a motif is chosen, where it has as many.
FEWEST = 100
# So little regularisation that the two numbers fitted to a score are those of greatest likelihood.
FREE = 1e6
# Least slope, in log odds per standard deviation of the scores.
FLAT = 0.01


class Matrix(Protocol):
    """A motif, such as :class:`lociflow.interpretation.motifs.jaspar.JasparMotif`."""

    @property
    def matrix_id(self) -> str:
        """Return its identifier."""

    @property
    def name(self) -> str:
        """Return the factor's name."""

    @property
    def pwm(self) -> np.ndarray:
        """Return the probabilities of A, C, G and T, above 0, ``float64`` of shape (4, width)."""


class Choice(NamedTuple):
    """The motif of one target."""

    motif: Matrix
    auprc: float
    """Of its scores on the training and validation bins; NaN where these have no positive."""


@numba.njit(nogil=True, cache=True)
def _best_match(codes: np.ndarray, forward: np.ndarray, reverse: np.ndarray) -> np.ndarray:
    """Return the highest score over all places and both strands, float32 of shape (n,).

    ``codes`` are 0 to 4, ``forward`` and ``reverse`` float32 of shape (width, 5).
    """
    width = len(forward)
    best = np.empty(len(codes), np.float32)
    for row in range(len(codes)):
        highest = np.float32(-np.inf)
        for place in range(codes.shape[1] - width + 1):
            there, back = np.float32(0.0), np.float32(0.0)
            for position in range(width):
                letter = codes[row, place + position]
                there += forward[position, letter]
                back += reverse[position, letter]
            highest = max(highest, there, back)
        best[row] = highest
    return best


def best_match(codes: np.ndarray, pwm: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Scan windows with a motif.

    Parameters
    ----------
    codes
        uint8 codes of the alphabet (A, C, G, T = 0 to 3; the soft-mask bit is ignored), shape (n, length); a letter
        that is no base scores as the motif's least likely base would.
    pwm
        Probabilities of A, C, G and T above 0, shape (4, width), with width up to length.
    background
        Probabilities of A, C, G and T, the same for A and T and for C and G, shape (4,).

    Returns
    -------
    numpy.ndarray
        float32, shape (n,): the highest log odds over all places and both strands, in bits.
    """
    odds = np.log2(pwm / background[:, np.newaxis])
    known = np.vstack([odds, odds.min(axis=0)]).T
    other = np.vstack([odds[::-1, ::-1], odds[::-1, ::-1].min(axis=0)]).T
    letters = np.minimum(codes & LETTER, BASES).astype(np.uint8)
    scores: np.ndarray = _best_match(letters, known.astype(np.float32), other.astype(np.float32))
    return scores


def background_of(store: SequenceStore, place: Placement, bins: np.ndarray, length: int) -> np.ndarray:
    """Return the base composition of bins on both strands, one base of each added; float64, shape (4,)."""
    counts = np.ones(BASES)
    for first in range(0, len(bins), ROWS):
        letters = window_codes(store, place, bins[first : first + ROWS], length) & LETTER
        counts += np.bincount(letters[letters < BASES], minlength=BASES)
    counts += counts[::-1]
    return np.asarray(counts / counts.sum())


def scan_bins(
    store: SequenceStore, place: Placement, bins: np.ndarray, bin_length: int, pwm: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Return the best match centred in each of the ``bins``, float32 of shape (bins,), as :func:`best_match`."""
    scores = np.empty(len(bins), np.float32)
    length = bin_length + pwm.shape[1] - 1
    for first in range(0, len(bins), ROWS):
        codes = window_codes(store, place, bins[first : first + ROWS], length)
        scores[first : first + ROWS] = best_match(codes, pwm, background)
    return scores


def choose_motifs(values: np.ndarray, motifs: Sequence[Matrix], candidates: Sequence[Sequence[int]]) -> list[Choice]:
    """Choose for each target the candidate with the highest value; the first of equals, and where all are NaN.

    Parameters
    ----------
    values
        Average precision of each motif for each target, shape (motifs, targets); NaN where it is not defined.
    motifs
        The motifs.
    candidates
        For each target, indices of those among which to choose, at least one.
    """
    choices = []
    for target, allowed in enumerate(candidates):
        own = values[list(allowed), target]
        best = 0 if np.isnan(own).all() else int(np.nanargmax(own))
        choices.append(Choice(motifs[allowed[best]], float(own[best])))
    return choices


def candidates_by_name(names: Sequence[str], motifs: Sequence[Matrix]) -> list[list[int]]:
    """Return for each target the motifs that are called as it is, upper and lower case being the same.

    Raises
    ------
    UserError
        A target has none.
    """
    called = [motif.name.upper() for motif in motifs]
    found = [[index for index, each in enumerate(called) if each == name.upper()] for name in names]
    if lacking := [name for name, indices in zip(names, found, strict=True) if not indices]:
        raise UserError(
            f"motif_scan baseline: found no motif called {lacking[0]}, expected one for each target; leave the target "
            "out of the data set, or let lociflow.evaluation.motif_scan.best_of_all choose among all motifs"
        )
    return found


def draw_bins(labels: np.ndarray, most: int | None, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw bins, each target's positives by themselves so that rare ones are not lost, with weights that undo it.

    Parameters
    ----------
    labels
        1, 0, or -1 for missing, shape (bins, targets).
    most
        About how many are wanted, half of them positive; of many targets there are more, for each has its share of the
        positives and :data:`FEWEST` at the least. None for all.
    seed
        Of the draw.

    Returns
    -------
    tuple
        Rows, ascending, and the weight of each, 1 over its chance to be drawn; None where all bins are drawn.
    """
    if most is None or len(labels) <= most:
        return np.arange(len(labels)), None
    generator = np.random.Generator(np.random.Philox(key=seed))
    wanted = max(most // (2 * labels.shape[1]), FEWEST)
    passed_over, taken = np.ones(len(labels)), np.zeros(len(labels), bool)
    for column in labels.T:
        positive = np.flatnonzero(column == 1)
        drawn = generator.choice(positive, min(wanted, len(positive)), replace=False)
        taken[drawn] = True
        # Targets are drawn from independently: a bin that several have is passed over by all of them, or taken.
        passed_over[positive] *= 1 - len(drawn) / max(len(positive), 1)
    others = np.flatnonzero((labels != 1).all(axis=1))
    drawn = generator.choice(others, min(len(others), max(most // 2, most - int(taken.sum()))), replace=False)
    taken[drawn] = True
    passed_over[others] = 1 - len(drawn) / max(len(others), 1)
    rows = np.flatnonzero(taken)
    return rows, 1 / (1 - passed_over[rows])


def best_of_all(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    *,
    motifs: Sequence[Matrix],
    bin_length: int,
    max_bins: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Score each bin with that of all motifs which ranks the target's training and validation bins best.

    The parameters are those of :func:`best_of_own`; a target needs no motif of its name.
    """
    candidates = [range(len(motifs))] * len(names)
    return _fit_predict(store, windows, targets, names, motifs, candidates, bin_length, max_bins, seed)


def best_of_own(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    *,
    motifs: Sequence[Matrix],
    bin_length: int,
    max_bins: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Score each bin with the motif of the target's own name; the best of them, where a library has several.

    Scores become probabilities by a logistic function of two numbers for each target, fitted to the training bins, the
    slope above 0, so that the order of the bins stays. The test labels are not read.

    Parameters
    ----------
    store
        The genome.
    windows
        ``contig``, ``start``, ``end`` (0-based, half-open), ``split``; the row number is the bin.
    targets
        int8, shape (bins, targets): 1, 0, or -1 for missing, which is left out target by target.
    names
        Target names.
    motifs
        The library.
    bin_length
        Bases around the centre of the bin on which matches are centred.
    max_bins
        Of more training and validation bins, about so many are drawn to choose a motif on, see :func:`draw_bins`; None:
        all of them.
    seed
        Of that draw.

    Returns
    -------
    pandas.DataFrame
        Probabilities, as :func:`lociflow.evaluation.predictions.prediction_table` gives them.

    Raises
    ------
    UserError
        There is no motif or no training bin, or no motif of a target's name.
    """
    candidates = candidates_by_name(names, motifs)
    return _fit_predict(store, windows, targets, names, motifs, candidates, bin_length, max_bins, seed)


def _fit_predict(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    motifs: Sequence[Matrix],
    candidates: Sequence[Sequence[int]],
    bin_length: int,
    max_bins: int | None,
    seed: int,
) -> pd.DataFrame:
    split = windows["split"].astype(str).to_numpy()
    training = np.flatnonzero(split == "train")
    if not len(motifs) or not len(training):
        lacking = "motif" if not len(motifs) else "bin in the split train"
        raise UserError(
            f"motif_scan baseline: found no {lacking}, expected at least one; correct its motifs or the split"
        )
    place = place_windows(windows, store)
    background = background_of(store, place, training, bin_length)
    development = np.flatnonzero(np.isin(split, ("train", "validation")))
    drawn, weights = draw_bins(np.asarray(targets[development]), max_bins, seed)
    development = development[drawn]
    labels = np.asarray(targets[development])
    values = np.full((len(motifs), len(names)), np.nan)
    for number, motif in enumerate(motifs):
        wanted = [target for target, allowed in enumerate(candidates) if number in allowed]
        if not wanted:
            continue
        scores = scan_bins(store, place, development, bin_length, motif.pwm, background)
        for target in wanted:
            values[number, target] = auprc(labels[:, target], scores, weights)
    choices = choose_motifs(values, motifs, candidates)
    bins = np.flatnonzero(np.isin(split, SCORED))
    probabilities = np.empty((len(bins), len(names)), np.float32)
    for target, (name, choice) in enumerate(zip(names, choices, strict=True)):
        status(
            f"motif_scan baseline: {name}: {choice.motif.matrix_id} {choice.motif.name}, AUPRC {choice.auprc:.4f} on "
            f"{len(development):,} training and validation bins"
        )
        trained, scored = (
            scan_bins(store, place, rows, bin_length, choice.motif.pwm, background) for rows in (training, bins)
        )
        probabilities[:, target] = _probabilities(trained, np.asarray(targets[training, target]), scored)
    return prediction_table(bins, split[bins], probabilities, names)


def _probabilities(trained: np.ndarray, labels: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Fit a logistic function to the scores of training bins and apply it to others."""
    centre, spread = float(trained.mean()), max(float(trained.std()), 1e-6)
    features = ((trained - centre) / spread).astype(np.float32)[:, np.newaxis]
    weights = fit_path(features, np.ones(1), labels[:, np.newaxis], [FREE])[0]
    weights[0] = np.maximum(weights[0], FLAT)
    logits = predict_logits(((scored - centre) / spread).astype(np.float32)[:, np.newaxis], weights)
    return np.asarray(1 / (1 + np.exp(-logits[:, 0])))
