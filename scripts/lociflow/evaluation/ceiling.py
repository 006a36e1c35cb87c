"""The best score that the planted truth allows on a simulated genome: the generative likelihood ratio.

No ranking of bins by their sequence has a higher expected AUROC than the probability of a label given the sequence
(the Neyman–Pearson lemma). For a simulated genome that probability can be computed, because its parameters are known;
where the motifs were planted is not used. What keeps it below 1 is what no method can see: missed and spurious peaks,
decoys that look like sites, motifs that the background makes by chance, and summits that fall beyond a bin's edge.

For a bin and a factor f, the region around the bin is explained in all ways at once: as background in which elements of
the grammar (:mod:`lociflow.genome.grammar`) lie without contact. With the prior that a free base begins an element,
times the likelihood ratio of the element's motifs against the background that they replaced,

    Z = sum over all ways of the product of their elements' terms

follows from one recursion along the region, since elements keep their order. Z' is the same sum with each bound site of
f multiplied by the probability that its peak, if it has one, does not label the bin. The bin's score is

    P(label = 1 | sequence) = 1 - (1 - P(a spurious peak labels the bin)) * Z' / Z.

Decoys and other factors' motifs compete in both sums, and the paired factor scores through all pairs of places that the
rule allows.

Approximations: the counts of the elements are replaced by densities; the background's bases under and next to a motif
are linked through the chain's stationary distribution; the isochore is that of the bin's middle; what reaches into the
region from outside is not seen (the region extends beyond the bin by the reach of a peak, the longest element and
:data:`FLANK`); peaks are not cut at a contig's end; more than one spurious peak in a bin counts by the Poisson law.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, status
from lociflow.data.targets import open_targets, read_target_names
from lociflow.evaluation.predictions import prediction_table, write_predictions
from lociflow.genome.grammar import Arrangement, Grammar, arrangements
from lociflow.genome.markov import BASES
from lociflow.genome.simulation import background_chains, isochores, read_sites, simulated_grammar, spurious_peaks
from lociflow.genome.window_table import read_windows, split_digest
from lociflow.sequence.store import SequenceStore, contig_index, gather, open_store

# Bases beyond the farthest element that can label a bin, for what overlaps with it to compete.
FLANK = 64

# Bins computed together: about 100 MB at 200-bp bins.
BATCH = 256

# What a data set's labels say where nothing else is said.
LABELS = {"min_overlap": 0.5}

# The partition function grows with every motif; it is scaled back before float64 overflows.
RESCALE_EVERY = 32


class Truth(NamedTuple):
    """The parameters of a simulated genome, without the places of what was planted."""

    grammar: Grammar
    planted: int
    """Elements in the whole genome."""
    start: float
    """Probability that a free base begins an element."""
    segments: pd.DataFrame
    """The isochores."""
    levels: tuple[float, ...]
    """Their GC contents."""
    order: int
    """Of the background's Markov chains."""
    log_transition: np.ndarray
    """Shape (levels, contexts, 4)."""
    log_stationary: np.ndarray
    """Shape (levels, contexts)."""
    peaks: Mapping[str, Any]
    """``missed``, ``spurious``, ``jitter`` and ``width`` of the configuration."""
    spurious_per_base: np.ndarray
    """Spurious peaks of each of the grammar's factors, for each base of the genome."""


def read_truth(config: Mapping[str, Any], counts: Mapping[str, np.ndarray] | None = None) -> Truth:
    """Take the parameters from a simulation's configuration.

    Parameters
    ----------
    config, counts
        As for :func:`lociflow.genome.simulation.simulate`.
    """
    grammar = simulated_grammar(config, counts)
    genome = sum(config["contigs"].values())
    planted = sum(element.copies for element in grammar.elements)
    # An element and its margin, on average over the element's gaps.
    occupied = sum(
        element.copies * (grammar.margin + np.mean([way.length for way in arrangements(element, grammar.matrices)]))
        for element in grammar.elements
    )
    chains = background_chains(config)
    return Truth(
        grammar=grammar,
        planted=planted,
        start=float(planted / (planted + genome - occupied)),
        segments=isochores(config),
        levels=tuple(chains),
        order=config["background"]["order"],
        log_transition=np.log(np.stack([chain.transition for chain in chains.values()])),
        log_stationary=np.log(np.stack([chain.stationary for chain in chains.values()])),
        peaks=config["peaks"],
        spurious_per_base=np.array([spurious_peaks(config, count) / genome for count in bound_sites(grammar).values()]),
    )


def bound_sites(grammar: Grammar) -> dict[str, int]:
    """Count the bound sites of each factor."""
    counts = dict.fromkeys(grammar.factors, 0)
    for element in grammar.elements:
        for part in element.parts:
            if part.bound:
                counts[part.factor] += element.copies
    return counts


def label_weights(peaks: Mapping[str, Any], bin_length: int, min_overlap: float) -> tuple[int, np.ndarray]:
    """Compute how probable it is that the peak of a site labels a bin, by the place of the site's middle.

    Parameters
    ----------
    peaks
        ``jitter`` and ``width`` of the simulation.
    bin_length
        In bases.
    min_overlap
        A peak labels a bin when it covers at least this fraction of the shorter of the two.

    Returns
    -------
    reach : int
        The first weight is that of a middle ``reach`` bases before the bin's first base; further away it is 0.
    weights : numpy.ndarray
        ``float64``, shape (bin_length + 2 * reach,).
    """
    jitter, (narrowest, widest) = peaks["jitter"], peaks["width"]
    reach = jitter + widest
    summits = np.arange(-reach - jitter, bin_length + reach + jitter)
    labels = np.zeros(len(summits))
    for width in range(narrowest, widest + 1):
        start = summits - width // 2
        covered = np.minimum(start + width, bin_length) - np.maximum(start, 0)
        labels += covered >= min_overlap * min(bin_length, width)
    moves = 2 * jitter + 1
    weights = np.convolve(labels / (widest - narrowest + 1), np.full(moves, 1 / moves), mode="valid")
    # Rounding leaves traces of the convolution where nothing is.
    possible = np.flatnonzero(weights > 1e-12)
    spare = min(reach, possible[0], len(weights) - 1 - possible[-1]) if len(possible) else reach
    return int(reach - spare), weights[spare : len(weights) - spare]


def bin_probabilities(
    store: SequenceStore, bins: pd.DataFrame, truth: Truth, names: Sequence[str], min_overlap: float
) -> np.ndarray:
    """Compute the probability of each label given the sequence; see the module's text.

    Parameters
    ----------
    store
        The simulated genome.
    bins
        ``contig``, ``start``, ``end``; any lengths.
    truth
        As :func:`read_truth` gives it.
    names
        Factors, one per column of the result.
    min_overlap
        As for :func:`label_weights`.

    Returns
    -------
    numpy.ndarray
        ``float64`` in [0, 1], shape (bins, names).
    """
    contigs = bins["contig"].astype(str).to_numpy()
    contig = contig_index(store, contigs)
    start, end = bins["start"].to_numpy(np.int64), bins["end"].to_numpy(np.int64)
    chain = _chains_at(truth, contigs, (start + end) // 2)
    longest = max(
        way.length for element in truth.grammar.elements for way in arrangements(element, truth.grammar.matrices)
    )
    columns = [truth.grammar.factors.index(name) for name in names]
    probabilities = np.empty((len(bins), len(names)))
    for length in np.unique(end - start):
        reach, weights = label_weights(truth.peaks, int(length), min_overlap)
        spurious = 1 - np.exp(-truth.spurious_per_base * weights.sum())
        flank = reach + longest + FLANK
        outer = flank + truth.order
        padded = np.pad(weights, flank - reach)
        same = np.flatnonzero(end - start == length)
        for members in np.array_split(same, -(-len(same) // BATCH)):
            codes = gather(store, contig[members], start[members] - outer, int(length) + 2 * outer)
            unlabelled = no_label(codes, chain[members], truth, padded)
            probabilities[members] = (1 - (1 - spurious)[:, None] * unlabelled)[columns].T
    return probabilities


def no_label(codes: np.ndarray, chain: np.ndarray, truth: Truth, weights: np.ndarray) -> np.ndarray:
    """Compute the probability that no bound site's peak labels the bin, given the sequence around it.

    Parameters
    ----------
    codes
        ``uint8``, shape (n, order + bases + order): the regions with the context that the background's chain needs.
    chain
        Index into :attr:`Truth.levels`, shape (n,).
    truth
        As :func:`read_truth` gives it.
    weights
        Shape (bases,): probability that the peak of a site with its middle at each base labels the bin.

    Returns
    -------
    numpy.ndarray
        ``float64``, shape (factors, n): Z' / Z.
    """
    grammar, bases = truth.grammar, len(weights)
    lengths = sorted({way.length for element in grammar.elements for way in arrangements(element, grammar.matrices)})
    terms = np.zeros((len(lengths), bases, len(codes)))
    labelling: list[dict[int, np.ndarray]] = [{} for _ in grammar.factors]
    kept = (1 - truth.peaks["missed"]) * weights
    for way, term in _terms(codes, chain, truth):
        row = lengths.index(way.length)
        terms[row, : len(term)] += term
        for place in way.places:
            if place.part.bound:
                middle = place.offset + place.length // 2
                own = labelling[grammar.factors.index(place.part.factor)]
                own.setdefault(row, np.zeros(terms.shape[1:]))[: len(term)] += (
                    kept[middle : middle + len(term), None] * term
                )
    steps = np.array(lengths) + grammar.margin
    everything = _log_partition(terms, steps, truth.start)
    result = np.empty((len(grammar.factors), len(codes)))
    for factor, own in enumerate(labelling):
        without = terms.copy()
        for row, share in own.items():
            without[row] -= share
        result[factor] = np.exp(_log_partition(without, steps, truth.start) - everything)
    return result


def _terms(codes: np.ndarray, chain: np.ndarray, truth: Truth) -> Iterator[tuple[Arrangement, np.ndarray]]:
    """Yield each way in which an element lies, and its term at each base where it fits, shape (bases, n)."""
    grammar, order = truth.grammar, truth.order
    known = codes < BASES
    base = np.where(known, codes, 0).astype(np.int64)
    context = np.zeros((len(codes), codes.shape[1] - order + 1), dtype=np.int64)
    for step in range(order):
        context = context * BASES + base[:, step : step + context.shape[1]]
    bases = codes.shape[1] - 2 * order
    seen, inside = base[:, order:], known[:, order : order + bases]
    # Of what the sum leaves out where a motif stands: its own bases, and the next ones as they follow upon them.
    background = truth.log_transition[chain[:, None], context[:, :-1], seen]
    summed = np.pad(background.cumsum(1), ((0, 0), (1, 0)))
    afterwards = truth.log_stationary[chain[:, None], context[:, order:]]
    motifs: dict[tuple[str, str], np.ndarray] = {}
    for element in grammar.elements:
        ways = arrangements(element, grammar.matrices)
        prior = truth.start * element.copies / truth.planted / len(ways)
        for way in ways:
            fits = bases - way.length + 1
            logarithm = np.full((len(codes), fits), np.log(prior))
            for place in way.places:
                key = place.part.matrix, place.strand
                if key not in motifs:
                    motifs[key] = _motif_ratio(
                        grammar.matrices[place.part.matrix],
                        place.strand,
                        seen[:, :bases],
                        inside,
                        summed,
                        afterwards,
                        order,
                    )
                logarithm += motifs[key][:, place.offset : place.offset + fits]
            yield way, np.exp(logarithm).T


def _motif_ratio(
    matrix: np.ndarray,
    strand: str,
    seen: np.ndarray,
    inside: np.ndarray,
    summed: np.ndarray,
    afterwards: np.ndarray,
    order: int,
) -> np.ndarray:
    """Compute log P(sequence | motif begins here) - log P(sequence | background), shape (n, bases - length + 1)."""
    logarithms = np.log(matrix if strand == "+" else matrix[::-1, ::-1])
    length = len(matrix)
    fits = seen.shape[1] - length + 1
    begin = np.arange(fits)
    ratio = afterwards[:, begin + length] - (summed[:, begin + length + order] - summed[:, begin])
    for position, row in enumerate(logarithms):
        window = slice(position, position + fits)
        ratio += np.where(inside[:, window], row[seen[:, window]], -np.inf)
    return ratio


def _log_partition(terms: np.ndarray, steps: np.ndarray, start: float) -> np.ndarray:
    """Sum over all ways to lay elements along a region; the result has shape (n,).

    ``terms``, shape (lengths, bases, n), belong to the elements of each length that begin at each base; ``steps``,
    shape (lengths,), lead from an element's first base to the next free one.
    """
    _, bases, count = terms.shape
    ahead = int(steps.max())
    # A margin may reach beyond the region, where everything is 1.
    sums = np.ones((bases + ahead + 1, count))
    logarithm = np.zeros(count)
    for base in range(bases - 1, -1, -1):
        sums[base] = (1 - start) * sums[base + 1] + (terms[:, base] * sums[base + steps]).sum(0)
        if base % RESCALE_EVERY == 0:
            scale = sums[base].copy()
            sums[base : base + ahead + 1] /= scale
            logarithm += np.log(scale)
    return logarithm


def _chains_at(truth: Truth, contigs: np.ndarray, middles: np.ndarray) -> np.ndarray:
    found = np.empty(len(contigs), dtype=np.int64)
    for contig in np.unique(contigs):
        segments = truth.segments[truth.segments["contig"] == contig]
        if segments.empty:
            raise UserError(f"contig {contig} is not in the simulation; expected the bins of the simulated genome")
        here = contigs == contig
        rows = np.searchsorted(segments["end"].to_numpy(), middles[here], side="right")
        levels = np.array([truth.levels.index(gc) for gc in segments["gc"]])
        found[here] = levels[np.minimum(rows, len(levels) - 1)]
    return found


def score_ceiling(
    store: Path,
    windows: Path,
    targets: Path,
    target_table: Path,
    split: str,
    config: Mapping[str, Any],
    predictions: Path,
    labels: Mapping[str, Any] = LABELS,
    sites: Path | None = None,
) -> None:
    """Write the ceiling's predictions for the validation and test bins.

    Parameters
    ----------
    store
        Sequence store of the simulated genome.
    windows, targets, target_table
        The data set's bins, their labels (only their number is looked at) and the targets' names.
    split
        Name of the split.
    config
        The data set's ``simulation``.
    predictions
        Parquet to write.
    labels
        The data set's ``labels``, of which ``min_overlap`` is used (0.5 where it is not said).
    sites
        The planted sites; only counted, to see that the genome is that of ``config``.

    Raises
    ------
    UserError
        A target is no factor of the simulation, the files are of another simulation, or ``labels`` has a
        ``positive_score``, which the ceiling does not model.
    """
    if (least := labels.get("positive_score")) is not None:
        raise UserError(
            f"labels.positive_score: found {least!r}, expected null: the ceiling does not model the scores of peaks; "
            "leave one of the two out"
        )
    truth = read_truth(config)
    names = read_target_names(target_table)
    if unknown := [name for name in names if name not in truth.grammar.factors]:
        raise UserError(
            f"{target_table}: target {unknown[0]} is no factor of the simulation, expected some of "
            f"{', '.join(truth.grammar.factors)}; only simulated peaks have a ceiling"
        )
    if sites is not None:
        _check_sites(sites, truth.grammar)
    bins = read_windows(windows, split)
    open_targets(targets, len(bins), len(names))
    chosen = np.flatnonzero(bins["split"].isin(["validation", "test"]))
    scored = bins.iloc[chosen]
    scores = bin_probabilities(
        open_store(store), scored, truth, names, labels.get("min_overlap", LABELS["min_overlap"])
    )
    table = prediction_table(chosen, scored["split"].to_numpy(), scores, names)
    write_predictions(predictions, table, split_digest(windows, split))
    status(f"ceiling of {len(names)} factors on {len(chosen):,} validation and test bins")


def _check_sites(path: Path, grammar: Grammar) -> None:
    planted = read_sites(path)
    found = planted[planted["bound"] == 1].groupby("factor").size().to_dict()
    expected = {name: count for name, count in bound_sites(grammar).items() if count}
    if found != expected:
        raise UserError(
            f"{path}: found bound sites {found}, expected {expected}; the file is of another simulation: run snakemake "
            "again to rebuild it"
        )
