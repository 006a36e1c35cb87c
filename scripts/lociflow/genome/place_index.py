"""The index by which a sorted, bgzip-compressed file is asked for a place, as tabix and bcftools write it.

It is always CSI: a tabix index proper (.tbi) ends at 512 Mb (2**29 bases), beyond which chromosomes of wheat and barley
reach. What is built on htslib (tabix, bcftools) reads both and looks for .csi first.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pysam

from lociflow.command import atomic

VCF: Mapping[str, Any] = {"preset": "vcf"}
# Tables: contig first, a line of names behind #; of intervals (0-based, half-open) or of single positions (1-based).
INTERVALS: Mapping[str, Any] = {"seq_col": 0, "start_col": 1, "end_col": 2, "zerobased": True, "meta_char": "#"}
POSITIONS: Mapping[str, Any] = {"seq_col": 0, "start_col": 1, "end_col": 1, "meta_char": "#"}


def index_places(file: Path, index: Path, columns: Mapping[str, Any]) -> None:
    """Write the index of a file.

    Parameters
    ----------
    file
        bgzip-compressed, sorted by contig and position.
    index
        ``.csi`` to write.
    columns
        Where contig and position stand: :data:`VCF`, :data:`INTERVALS` or :data:`POSITIONS`.
    """
    with atomic(index) as temporary:
        pysam.tabix_index(str(file), index=str(temporary), force=True, csi=True, **columns)
