"""Small signal files that tests write."""

from collections.abc import Sequence
from pathlib import Path

import pyBigWig
import pysam

CONTIGS = {"b": "ACGT" * 10, "a": "GGCA" * 5}
"""Of 40 and 20 bases."""


def write_bigwig(path: Path, contigs: dict[str, int], intervals: Sequence[tuple[str, int, int, float]]) -> Path:
    track = pyBigWig.open(str(path), "w")
    track.addHeader(list(contigs.items()))
    for contig, start, end, value in intervals:
        track.addEntries([contig], [start], ends=[end], values=[float(value)])
    track.close()
    return path


def alignment(
    header: pysam.AlignmentHeader, name: str, flag: int, contig: str, start: int, cigar: str, mapq: int = 60
) -> pysam.AlignedSegment:
    read = pysam.AlignedSegment(header)
    read.query_name, read.flag = name, flag
    if not flag & 4:
        read.reference_name, read.reference_start, read.cigarstring = contig, start, cigar
    read.mapping_quality = mapq
    length = read.infer_query_length() or 5
    read.query_sequence = "A" * length
    return read


def write_bam(
    path: Path,
    contigs: dict[str, int],
    reads: Sequence[tuple],
    digests: dict[str, str] | None = None,
) -> Path:
    entries = [
        {"SN": name, "LN": length} | ({"M5": digests[name]} if digests else {}) for name, length in contigs.items()
    ]
    header = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6"}, "SQ": entries})
    with pysam.AlignmentFile(str(path), "wb", header=header) as bam:
        for read in reads:
            bam.write(alignment(header, *read))
    return path
