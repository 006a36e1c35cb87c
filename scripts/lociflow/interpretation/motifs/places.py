"""Where discovered motifs lie on the genome: the sites that they were made from, and the places that read like them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow.interpretation.motifs.hits import scan_hits
from lociflow.interpretation.motifs.seqlets import locate_seqlets


def locate_motifs(
    store: Path,
    windows: Path,
    attributions: Path,
    modisco: Path,
    meme: Path,
    table: Path,
    config: Mapping[str, Any],
    seqlets: Path,
    hits: Path,
    summary: Path,
) -> None:
    """Write the seqlets and the hits of all motifs that were discovered in the explanations of one model.

    Parameters
    ----------
    store, windows, modisco, seqlets
        As :func:`lociflow.interpretation.motifs.seqlets.locate_seqlets`, whose ``bed`` is ``seqlets``.
    attributions, meme, table, config, hits, summary
        As :func:`lociflow.interpretation.motifs.hits.scan_hits`, whose ``bed`` is ``hits``.

    Raises
    ------
    UserError
        As these two.
    """
    locate_seqlets(store, windows, modisco, seqlets)
    scan_hits(store, windows, attributions, meme, table, config, hits, summary)
