"""Where discovered motifs occur in the explained windows, and which of these sites the model uses.

A scanner finds every place that reads like a motif (FIMO, Grant et al. 2011, doi:10.1093/bioinformatics/btr064, by
memelite); the model may owe its prediction to few of them, because the others lie at the wrong distance, are too weak
or belong to another factor. A hit counts as used where the sum of its bases' contributions to the motif's own target
exceeds the 95th percentile of such sums at all places of the same width that no hit of the motif touches; of a negative
motif, where it lies below the 5th. By chance one hit in twenty is used.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from memelite import fimo

from lociflow.command import UserError, atomic, status
from lociflow.genome.window_table import read_windows
from lociflow.interpretation.attributions import observed_contributions, read_attributions, stretch_sums
from lociflow.interpretation.motifs.bed import bed_scores, locate, strand_signs, write_bed
from lociflow.interpretation.motifs.meme import read_meme
from lociflow.interpretation.settings import read_settings
from lociflow.sequence.one_hot import one_hot
from lociflow.sequence.store import open_store

USED_ABOVE = 95  # percentile of what the model gives to places that are no hits
BED = ("contig", "start", "end", "name", "score", "strand", "target", "kind", "p", "q", "contribution", "used", "bin")


class HitConfig(NamedTuple):
    """What ``config/interpretation/*.yaml`` says under ``hits``."""

    p: float = 1e-4
    """p-value below which a place is a hit."""


class HitRow(NamedTuple):
    """What the table says of a motif."""

    motif: str
    target: str
    kind: str
    """``positive`` or ``negative``."""
    windows: int
    """Explained for the motif's target."""
    hits: int
    hits_by_chance_at_most: float
    """Number expected where bases are independent and equally frequent, at most: p-values are discrete, so that fewer
    places reach the threshold, and a place that is a hit on both strands counts once."""
    used: int
    share_used: float
    """NaN without hits."""
    threshold: float
    """Contribution beyond which a hit is used; NaN where hits leave no other place."""


def scan_hits(
    store: Path,
    windows: Path,
    attributions: Path,
    meme: Path,
    table: Path,
    config: Mapping[str, Any],
    bed: Path,
    summary: Path,
) -> None:
    """Scan the explained windows for the motifs that were discovered in them.

    Each motif is looked for in the windows that were explained for its own target, whole and on both strands. A place
    that is a hit on both strands counts once, on the better one. Windows that overlap show the same place twice.

    Parameters
    ----------
    store, windows
        ``store.json`` and ``windows.parquet`` of the data set.
    attributions
        As :mod:`lociflow.interpretation.attributions`.
    meme, table
        Motifs and their targets, as :func:`lociflow.interpretation.motifs.discover.discover_motifs` writes them.
    config
        As :class:`HitConfig`.
    bed
        BED file to write: contig, start, end, motif, score (1000: the largest absolute contribution of the target's
        hits), strand; target, kind, p-value, q-value (Benjamini and Hochberg over all places and strands that were
        scanned for the motif), contribution, used (1 or 0), bin.
    summary
        Table to write (TSV): a :class:`HitRow` a motif.

    Raises
    ------
    UserError
        The configuration has an unknown key, or a file cannot be read.
    """
    settings = read_settings(HitConfig, "hits", config)
    found = read_attributions(attributions)
    genome, bins = open_store(store), read_windows(windows)
    if len(found.bin) and found.bin.max() >= len(bins):
        raise UserError(
            f"{attributions}: holds bin {found.bin.max()}, expected less than {len(bins)} as in {windows}; run "
            "snakemake again to rebuild it"
        )
    columns = {fact["target"]: fact["column"] for fact in found.meta["targets"]}
    described = pd.read_csv(table, sep="\t", keep_default_na=False).set_index("motif")
    parts, rows = [], []
    pwms = {motif.name: motif.pwm for motif in read_meme(meme)}
    for name, pwm in pwms.items():
        target, kind = str(described.loc[name, "target"]), str(described.loc[name, "kind"])
        here = np.flatnonzero(found.target == columns[target])
        codes = found.codes[here]
        hits = find_hits(codes, pwm, settings.p)
        sums = stretch_sums(observed_contributions(codes, found.hypothetical[here]), pwm.shape[1])
        sign = -1.0 if kind == "negative" else 1.0
        threshold = used_above(sign * sums, hits, pwm.shape[1]) * sign
        place = (hits["window"].to_numpy(np.int64), hits["start"].to_numpy(np.int64))
        contribution = sums[place]
        used = sign * contribution > sign * threshold
        rows.append(
            HitRow(
                name, target, kind, len(here), len(hits), settings.p * 2 * sums.size, int(used.sum()),
                float(used.mean()) if len(hits) else float("nan"), threshold,
            )
        )  # fmt: skip
        bin_of = found.bin[here][place[0]]
        length = codes.shape[1]
        on = locate(bins, genome, length, bin_of, place[1], place[1] + pwm.shape[1], hits["reverse"].to_numpy(bool))
        columns_of = {
            "contig": on.contig, "start": on.start, "end": on.end, "name": name, "score": 0,
            "strand": strand_signs(on.reverse), "target": target, "kind": kind, "p": hits["p"].to_numpy(),
            "q": hits["q"].to_numpy(), "contribution": contribution, "used": used.astype(np.int8), "bin": bin_of,
        }  # fmt: skip
        parts.append(pd.DataFrame(columns_of)[on.kept])
    hits_table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(BED))
    for index in hits_table.groupby("target").groups.values():
        hits_table.loc[index, "score"] = bed_scores(hits_table.loc[index, "contribution"].to_numpy(np.float64))
    write_bed(bed, hits_table, genome.names)
    with atomic(summary) as temporary:
        pd.DataFrame(rows, columns=list(HitRow._fields)).to_csv(
            temporary, sep="\t", index=False, float_format="%.6g", na_rep=""
        )
    status(f"{sum(row.hits for row in rows)} hits of {len(rows)} motifs, {sum(row.used for row in rows)} of them used")


def find_hits(codes: np.ndarray, pwm: np.ndarray, p: float) -> pd.DataFrame:
    """Scan windows for a motif on both strands.

    Parameters
    ----------
    codes
        ``uint8``, shape ``(n, length)``.
    pwm
        Probabilities, shape ``(4, width)``.
    p
        p-value below which a place is a hit.

    Returns
    -------
    pandas.DataFrame
        ``window``, ``start`` (0-based), ``reverse`` (bool), ``p``, ``q``; by window and start.
    """
    places = codes.shape[1] - pwm.shape[1] + 1
    if not len(codes) or places < 1:
        return pd.DataFrame(
            {"window": np.empty(0, int), "start": np.empty(0, int), "reverse": np.empty(0, bool), "p": [], "q": []}
        )
    (found,) = fimo({"motif": np.ascontiguousarray(pwm)}, one_hot(codes), threshold=p)
    values = found["p-value"].to_numpy(np.float64)
    table = pd.DataFrame(
        {
            "window": found["sequence_name"].to_numpy(np.int64),
            "start": found["start"].to_numpy(np.int64),
            "reverse": (found["strand"] == "-").to_numpy(bool),
            "p": values,
            "q": q_values(values, 2 * places * len(codes)),
        }
    )
    ordered = table.sort_values(["window", "start", "p", "reverse"], kind="stable")
    return ordered.drop_duplicates(["window", "start"]).reset_index(drop=True)


def q_values(p: np.ndarray, tests: int) -> np.ndarray:
    """Return q-values by Benjamini and Hochberg (1995) of the smallest p-values of many tests.

    The others are not known, only larger: a q-value may be less than what is returned, never more.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * tests / np.arange(1, len(p) + 1)
    q = np.empty_like(scaled)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def used_above(sums: np.ndarray, hits: pd.DataFrame, width: int) -> float:
    """Return the percentile :data:`USED_ABOVE` of the sums of all stretches that touch no hit; NaN without any.

    Parameters
    ----------
    sums
        As :func:`stretch_sums` gives them.
    hits
        ``window`` and ``start`` of stretches of the same width.
    width
        Of all stretches, in bases.
    """
    free = np.ones(sums.shape, dtype=bool)
    for window, start in zip(hits["window"], hits["start"], strict=True):
        free[window, max(0, start - width + 1) : start + width] = False
    return float(np.percentile(sums[free], USED_ABOVE)) if free.any() else float("nan")
