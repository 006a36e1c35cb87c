"""Aligned reads and fragments, piled up into coverage or cut sites. Coordinates are 0-based and half-open."""

from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pysam

from lociflow.command import UserError
from lociflow.sequence.store import SequenceStore

COVERAGE = "coverage"
CUT_SITES = "cut_sites"
WHAT = (COVERAGE, CUT_SITES)

# Flags of the SAM format (SAMv1, section 1.4), in the order in which a read is left out for the first that holds.
LEFT_OUT = (
    ("unmapped", 0x4),
    ("secondary", 0x100),
    ("supplementary", 0x800),
    ("qc_fail", 0x200),
    ("duplicate", 0x400),
)
# Operations of a CIGAR that skip bases of the genome: D and N.
GAPS = (2, 3)
PAIRED, PROPER_PAIR, REVERSE = 0x1, 0x2, 0x10

MatchContigs = Callable[[Sequence[str], Sequence[int], Sequence[bool]], np.ndarray]
"""From names and lengths of a header's contigs, and whether they have reads, to their index in the genome or -1."""


class ReadSettings(NamedTuple):
    """What is counted of reads."""

    what: str = COVERAGE
    """``coverage``: the bases of a fragment (of a pair that is properly paired, from one 5′ end to the other) or the
    aligned bases of a single read, without deletions and introns; ``cut_sites``: the 5′ end of every read, both ends
    of a fragment."""
    shift: tuple[int, int] | None = None
    """Bases added to cut sites on the plus and on the minus strand; None: (4, -5) for a BAM, none for fragments."""
    min_mapq: int = 0
    """Reads with a lower mapping quality are left out."""


class Reads(NamedTuple):
    """Intervals with their cut ends, one row each."""

    contig: np.ndarray
    """``int64``: index in the genome."""
    start: np.ndarray
    end: np.ndarray
    first: np.ndarray
    """``bool``: whether the first base is a cut site."""
    last: np.ndarray
    """``bool``: whether the last base is one. A row with neither is a further part of the read before it."""


class Steps(NamedTuple):
    """Runs of equal value, disjoint and sorted, all contigs on one axis with a base between neighbours."""

    start: np.ndarray
    end: np.ndarray
    value: np.ndarray
    origin: np.ndarray
    """``int64``: where each contig begins on that axis."""


def read_fragments(regions: pd.DataFrame) -> Reads:
    """Take regions for fragments, or for single reads where they have a strand (BED6, tagAlign).

    Parameters
    ----------
    regions
        ``contig`` (categorical in the genome's order), ``start``, ``end``, ``strand``.

    Returns
    -------
    Reads
        A fragment is cut at both ends, a read at its 5′ end.
    """
    strand = regions["strand"].to_numpy()
    return Reads(
        regions["contig"].cat.codes.to_numpy(np.int64),
        regions["start"].to_numpy(np.int64),
        regions["end"].to_numpy(np.int64),
        strand != "-",
        strand != "+",
    )


def read_bam(
    path: Path, match: MatchContigs, store: SequenceStore, settings: ReadSettings
) -> tuple[Reads, dict[str, Any]]:
    """Read the alignments of a BAM file, from its first to its last, whatever its order.

    Left out and counted are unmapped reads, secondary and supplementary alignments, reads that failed the quality
    control, duplicates, and reads below ``min_mapq``. For coverage, pairs are taken together: of the paired reads those
    that are not properly paired (``improper_pair``), or whose mate was left out or is not in the file
    (``mate_missing``), are left out too. Cut sites are those of every read by itself. Memory grows with the number of
    reads: 18 bytes each.

    Parameters
    ----------
    path
        The file; no index is needed.
    match
        Called with the header's contigs.
    store
        The genome.
    settings
        What is counted.

    Returns
    -------
    reads : Reads
        On the genome's contigs.
    counts : dict
        ``read``, ``dropped``, ``clipped``, ``unit``, and ``contigs``: the genome's contigs that the header has.

    Raises
    ------
    UserError
        The file is broken, or a contig's digest (M5) is not the genome's.
    """
    columns = (array("i"), array("q"), array("q"), array("b"))
    dropped = dict.fromkeys([*(reason for reason, _ in LEFT_OUT), "low_mapq", "improper_pair", "mate_missing"], 0)
    quiet = pysam.set_verbosity(0)
    try:
        with pysam.AlignmentFile(str(path), "rb", check_sq=False) as bam:
            names, lengths = list(bam.references), list(bam.lengths)
            digests = {entry["SN"]: entry.get("M5") for entry in bam.header.to_dict().get("SQ", [])}
            read = _collect(bam, settings, columns, dropped)
    except (OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"{path}: a broken or incomplete BAM file ({error}); fetch it again") from None
    finally:
        pysam.set_verbosity(quiet)
    kinds = (np.int64, np.int64, np.int64, np.int8)
    header, start, end, ends = (np.array(column, kind) for column, kind in zip(columns, kinds, strict=True))
    used = np.bincount(header, minlength=len(names)) > 0
    place = match(names, lengths, used.tolist())
    for name, index in zip(names, place, strict=True):
        digest = digests.get(name)
        if index >= 0 and digest and digest.lower() != store.md5[index]:
            raise UserError(
                f"{path}: found the digest {digest} (M5) for contig {name}, expected {store.md5[index]} as in "
                f"{store.name}; the reads are aligned to another assembly: give an alignment to this genome"
            )
    contig = place[header] if len(header) else header
    kept = contig >= 0
    # A pair is two reads, a further block of a read none.
    dropped["excluded_contig"] = int(np.array([0, 1, 1, 2])[ends[~kept]].sum())
    reads = Reads(contig[kept], start[kept], end[kept], (ends[kept] & 1) > 0, (ends[kept] & 2) > 0)
    counts = {
        "read": read,
        "dropped": dropped,
        "clipped": 0,
        "unit": "reads",
        "contigs": [store.names[index] for index in place if index >= 0],
    }
    return reads, counts


def _collect(
    bam: pysam.AlignmentFile,
    settings: ReadSettings,
    columns: tuple[array, array, array, array],
    dropped: dict[str, int],
) -> int:
    pairs = settings.what == COVERAGE
    waiting: dict[str, tuple[int, int, int, int]] = {}
    bad = 0
    for _, flag in LEFT_OUT:
        bad |= flag
    number = 0
    for read in bam.fetch(until_eof=True):
        number += 1
        flag = read.flag
        if flag & bad:
            dropped[next(reason for reason, bit in LEFT_OUT if flag & bit)] += 1
            continue
        if read.mapping_quality < settings.min_mapq:
            dropped["low_mapq"] += 1
            continue
        contig, start, end = read.reference_id, read.reference_start, read.reference_end
        if end is None:
            # A place without a CIGAR says nothing of the bases that are aligned.
            dropped["unmapped"] += 1
            continue
        cut = 2 if flag & REVERSE else 1
        if pairs and flag & PAIRED:
            if not flag & PROPER_PAIR:
                dropped["improper_pair"] += 1
                continue
            name = str(read.query_name)
            mate = waiting.pop(name, None)
            if mate is None:
                waiting[name] = (contig, start, end, cut)
                continue
            if mate[0] != contig:
                dropped["improper_pair"] += 2
                continue
            start, end = _fragment((start, end, cut), (mate[1], mate[2], mate[3]))
            cut = 3
        elif pairs and any(operation in GAPS for operation, _ in read.cigartuples or ()):
            # The first block stands for the read, the others only add their bases.
            (start, end), *others = read.get_blocks()
            for block in others:
                _append(columns, contig, *block, 0)
        _append(columns, contig, start, end, cut)
    dropped["mate_missing"] += len(waiting)
    return number


def _fragment(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int]:
    """Return what lies between the 5′ ends of two mates; a read that runs on into the adapter may align beyond them."""
    forward, reverse = sorted((one, other), key=lambda mate: mate[2])
    if (forward[2], reverse[2]) == (1, 2) and forward[0] < reverse[1]:
        return forward[0], reverse[1]
    return min(one[0], other[0]), max(one[1], other[1])


def _append(columns: tuple[array, array, array, array], *row: int) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)


def pile_up(
    reads: Reads, settings: ReadSettings, shift: tuple[int, int], lengths: np.ndarray
) -> tuple[Steps, int, int]:
    """Count reads over the genome.

    The shift of cut sites is that of Tn5, which cuts the strands 9 bases apart: +4 on the plus and -5 on the minus
    strand (Buenrostro et al. 2013, Nat. Methods 10:1213). It is added to the 0-based position of a read's own 5′ base,
    so that a fragment [start, end) gives start + 4 and (end - 1) - 5.

    Parameters
    ----------
    reads
        Intervals on the genome.
    settings
        What is counted.
    shift
        Where the settings have none.
    lengths
        Of the genome's contigs.

    Returns
    -------
    steps : Steps
        What is not in them is 0.
    total : int
        Intervals, or cut sites on the genome.
    beyond : int
        Cut sites that the shift moves off their contig; they are left out.
    """
    if settings.what == COVERAGE:
        return _coverage(reads, lengths), int((reads.first | reads.last).sum()), 0
    plus, minus = settings.shift if settings.shift is not None else shift
    contig = np.concatenate([reads.contig[reads.first], reads.contig[reads.last]])
    site = np.concatenate([reads.start[reads.first] + plus, reads.end[reads.last] - 1 + minus])
    inside = (site >= 0) & (site < lengths[contig])
    origin = _origins(lengths)
    place, number = np.unique(origin[contig[inside]] + site[inside], return_counts=True)
    steps = Steps(place, place + 1, number.astype(np.float64), origin)
    return steps, int(inside.sum()), int((~inside).sum())


def _coverage(reads: Reads, lengths: np.ndarray) -> Steps:
    origin = _origins(lengths)
    begins, ends = origin[reads.contig] + reads.start, origin[reads.contig] + reads.end
    edges, place = np.unique(np.concatenate([begins, ends]), return_inverse=True)
    change = np.bincount(place[: len(begins)], minlength=len(edges)) - np.bincount(
        place[len(begins) :], minlength=len(edges)
    )
    depth = np.cumsum(change)[:-1]
    covered = depth > 0
    return Steps(edges[:-1][covered], edges[1:][covered], depth[covered].astype(np.float64), origin)


def steps_of(contig: np.ndarray, start: np.ndarray, end: np.ndarray, value: np.ndarray, lengths: np.ndarray) -> Steps:
    """Sort intervals with values; whether they overlap is for the caller to see."""
    origin = _origins(lengths)
    begins, ends = origin[contig] + start, origin[contig] + end
    order = np.lexsort((ends, begins))
    return Steps(begins[order], ends[order], value[order], origin)


def read_steps(steps: Steps, contig: int, start: int, end: int, fill: float) -> np.ndarray:
    """Return the values of a piece of a contig, ``float64`` of shape ``(end - start,)``; ``fill`` where no step is."""
    low, high = steps.origin[contig] + start, steps.origin[contig] + end
    rows = slice(np.searchsorted(steps.end, low, side="right"), np.searchsorted(steps.start, high, side="left"))
    begins = np.maximum(steps.start[rows], low) - low
    lengths = np.minimum(steps.end[rows], high) - low - begins
    # begins, begins + 1, … of each step in turn.
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    values = np.full(end - start, fill, dtype=np.float64)
    values[np.repeat(begins, lengths) + within] = np.repeat(steps.value[rows], lengths)
    return values


def _origins(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64) + 1)[:-1]])
