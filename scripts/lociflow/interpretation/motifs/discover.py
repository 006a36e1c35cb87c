"""Motifs that recur among attributions, found with TF-MoDISco (Shrikumar et al. 2018), by modisco-lite."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from modiscolite.core import SeqletSet
from modiscolite.io import save_pattern
from modiscolite.tfmodisco import TFMoDISco

from lociflow.command import atomic, status
from lociflow.interpretation.attributions import observed_contributions, read_attributions, stretch_sums
from lociflow.interpretation.motifs.meme import Motif, core, word, write_meme
from lociflow.interpretation.motifs.table import MotifRow, motif_row, write_table
from lociflow.interpretation.settings import read_settings
from lociflow.sequence.one_hot import one_hot

# Of the largest contribution, what stands in for none.
SILENCE = np.float32(1e-6)


class MotifConfig(NamedTuple):
    """What ``config/interpretation/*.yaml`` says under ``motifs``."""

    region: int = 400
    """Bases in the middle of each window that are searched."""
    max_seqlets: int = 2000
    """Per target and sign."""
    min_seqlets: int = 20
    """Fewer seqlets of a sign than this are not clustered."""
    min_motif_seqlets: int = 20
    """Smallest cluster that is a motif."""
    sliding_window: int = 17
    """Length of a seqlet's core in bases."""
    flank: int = 7
    """Bases added to the core on either side."""
    seqlet_fdr: float = 0.2
    """False discovery rate of the seqlets."""
    leiden_runs: int = 2
    """Starts of each clustering."""
    core_bits: float = 0.5
    """What a motif is trimmed by: ``bits`` of :func:`lociflow.interpretation.motifs.meme.core`."""


class Patterns(NamedTuple):
    """What TF-MoDISco finds for one target, each sorted by the number of seqlets, largest first."""

    positive: list[SeqletSet]
    negative: list[SeqletSet]


def discover_motifs(attributions: Path, config: Mapping[str, Any], modisco: Path, meme: Path, table: Path) -> None:
    """Find the motifs of every target that was explained.

    Where no contribution is negative, as of saliency, motifs are searched in what stands out of its window
    (:func:`centred`), and all of them are positive. To find none is a result: the files are then written without
    motifs. Results do not depend on the number of numba's threads (``NUMBA_NUM_THREADS``).

    Parameters
    ----------
    attributions
        As :mod:`lociflow.interpretation.attributions`.
    config
        As :class:`MotifConfig`.
    modisco
        HDF5 file to write: a group a target, ``target_0`` and so on, in modisco-lite's own layout
        (``pos_patterns/pattern_0/…``), with the bin index of each example as ``bin`` and, as attributes, the target's
        ``target``, ``window_length`` and where the searched region begins in a window, ``region_start``.
    meme
        MEME file to write: positive and negative patterns, trimmed; the second word of a motif's line is its sign.
    table
        Table to write, as :mod:`lociflow.interpretation.motifs.table`.

    Raises
    ------
    UserError
        The configuration has an unknown key, or the attributions cannot be read.
    """
    settings = read_settings(MotifConfig, "motifs", config)
    found = read_attributions(attributions)
    motifs: list[Motif] = []
    rows: list[MotifRow] = []
    with atomic(modisco) as temporary, h5py.File(temporary, "w", locking=False) as file:  # atomic() holds the lock
        for number, fact in enumerate(found.meta["targets"]):
            start = time.monotonic()
            here = found.target == fact["column"]
            region = central(found.codes.shape[1], settings.region)
            patterns = find_patterns(found.codes[here, region], found.hypothetical[here, :, region], settings)
            group = file.create_group(f"target_{number}")
            group.attrs.update(target=fact["target"], region_start=region.start, window_length=found.codes.shape[1])
            group.create_dataset("bin", data=found.bin[here])
            counts = []
            for sign, several in patterns._asdict().items():
                _save(group.create_group(f"{sign[:3]}_patterns"), several)
                new = motifs_of(several, fact["target"], sign, settings.core_bits)
                motifs.extend(new)
                rows.extend(motif_row(motif, fact["target"], sign) for motif in new)
                counts.append(f"{len(new)} {sign}")
            status(
                f"{fact['target']}: {' and '.join(counts)} motifs in {here.sum()} windows "
                f"({time.monotonic() - start:.1f} s)"
            )
    write_meme(meme, motifs)
    write_table(table, rows)
    if not motifs:
        status("no motif found: a valid result, and the expected one for an untrained model")


def central(length: int, region: int) -> slice:
    """Return the middle ``region`` positions of ``length``; all of them if there are no more."""
    width = min(length, region)
    return slice((length - width) // 2, (length - width) // 2 + width)


def find_patterns(codes: np.ndarray, hypothetical: np.ndarray, settings: MotifConfig) -> Patterns:
    """Run TF-MoDISco on the windows of one target.

    Parameters
    ----------
    codes
        ``uint8``, shape ``(n, length)``.
    hypothetical
        ``float32``, shape ``(n, 4, length)``.
    settings
        As :class:`MotifConfig`.
    """
    windows = np.ascontiguousarray(one_hot(codes).transpose(0, 2, 1))
    unsigned = bool((hypothetical >= 0).all())
    signed = centred(codes, hypothetical, settings.sliding_window) if unsigned else hypothetical
    contributions = np.ascontiguousarray(signed.transpose(0, 2, 1))
    if not has_both_signs((windows * contributions).sum(axis=2), settings):
        return Patterns([], [])
    try:
        found = _cluster(windows, contributions, settings)
    except ValueError as error:
        if "NaN" not in str(error):
            raise
        silent = 1 - contributions.any(axis=2).mean()
        status(f"{silent:.0%} of the bases contribute nothing: a trace of noise there lets their seqlets be compared")
        found = _cluster(windows, without_silence(contributions), settings)
    # What contributes less than most of a window lowers no prediction.
    return found._replace(negative=[]) if unsigned else found


def _cluster(windows: np.ndarray, contributions: np.ndarray, settings: MotifConfig) -> Patterns:
    positive, negative = TFMoDISco(
        windows,
        contributions,
        sliding_window_size=settings.sliding_window,
        flank_size=settings.flank,
        min_metacluster_size=settings.min_seqlets,
        max_seqlets_per_metacluster=settings.max_seqlets,
        target_seqlet_fdr=settings.seqlet_fdr,
        n_leiden_runs=settings.leiden_runs,
        final_min_cluster_size=settings.min_motif_seqlets,
    )
    return Patterns(list(positive or []), list(negative or []))


def centred(codes: np.ndarray, hypothetical: np.ndarray, width: int) -> np.ndarray:
    """Return contributions less what the median stretch of their window has a base.

    TF-MoDISco takes its null distribution from the sums of stretches on both sides of 0, around which contributions
    that have signs lie. Those of a method that tells only how much a base matters, such as saliency, lie around what
    most stretches of a window have.

    Parameters
    ----------
    codes
        ``uint8``, shape ``(n, length)``.
    hypothetical
        ``float32``, shape ``(n, 4, length)``; not changed.
    width
        Of a stretch, in bases. Windows shorter than that are returned as they are.
    """
    if not len(codes) or codes.shape[1] < width:
        return hypothetical
    middle = np.median(stretch_sums(observed_contributions(codes, hypothetical), width), axis=1) / width
    less: np.ndarray = hypothetical - middle.astype(np.float32)[:, None, None]
    return less


def without_silence(contributions: np.ndarray) -> np.ndarray:
    """Return contributions in which a base that contributes nothing has a trace of noise instead.

    modisco-lite compares seqlets by what they share of all that they have, which is no number for two that lie where a
    network is silent, as one of rectified units is at most bases when it has learnt little; it then fails. The noise is
    a millionth of the largest contribution and the same in every run.

    Parameters
    ----------
    contributions
        ``float32``, shape ``(n, length, 4)``; not changed.
    """
    silent = ~contributions.any(axis=2, keepdims=True)
    draws = np.random.Generator(np.random.Philox(0)).standard_normal(contributions.shape, dtype=np.float32)
    filled: np.ndarray = np.where(silent, draws * (np.abs(contributions).max() * SILENCE), contributions)
    return filled


def has_both_signs(scores: np.ndarray, settings: MotifConfig) -> bool:
    """Tell whether seqlets can be told from noise: stretches of either sign exist, in windows long enough to hold one.

    modisco-lite estimates its null distribution from both sides of the scores, and fails where one is missing: without
    windows, with windows shorter than a seqlet, and with contributions that are nowhere negative or nowhere positive.

    Parameters
    ----------
    scores
        Contribution of each base, shape ``(n, length)``.
    settings
        As :class:`MotifConfig`.
    """
    if not len(scores) or scores.shape[1] <= settings.sliding_window + 2 * settings.flank:
        return False
    stretches = stretch_sums(scores, settings.sliding_window)
    return bool((stretches < 0).any() and (stretches > 0).any())


def motifs_of(patterns: Sequence[SeqletSet], target: str, sign: str, core_bits: float) -> list[Motif]:
    """Turn patterns into motifs: the base frequencies of their seqlets, trimmed.

    Parameters
    ----------
    patterns
        In order; a pattern without an informative position is left out.
    target, sign
        Names of the motifs are ``<target>.<sign>_<number>``, with the pattern's number in the HDF5 file.
    core_bits
        As ``bits`` of :func:`lociflow.interpretation.motifs.meme.core`.
    """
    motifs = []
    for number, pattern in enumerate(patterns):
        frequencies = np.asarray(pattern.sequence, dtype=np.float64).T
        total = frequencies.sum(axis=0)
        pwm = np.where(total > 0, frequencies / np.where(total > 0, total, 1), 0.25)
        pwm = pwm[:, core(pwm, len(pattern.seqlets), core_bits)]
        if pwm.shape[1]:
            motifs.append(Motif(motif_name(target, sign, number), sign, pwm, len(pattern.seqlets)))
    return motifs


def motif_name(target: str, sign: str, number: int) -> str:
    """Return what the motif of a target's pattern is called in the MEME file and in all that speaks of it."""
    return word(f"{target}.{sign}_{number}")


def _save(group: h5py.Group, patterns: Sequence[SeqletSet]) -> None:
    for number, pattern in enumerate(patterns):
        save_pattern(pattern, group.create_group(f"pattern_{number}"))
