"""The sequence store of a genome, from its FASTA files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from lociflow.checksums import checksum
from lociflow.command import UserError, atomic, status
from lociflow.formats import stamp
from lociflow.sequence.alphabet import DNA, UnknownLetter, encode, expected_letters
from lociflow.sequence.fasta import read_fasta
from lociflow.sequence.store import KIND, digest_codes, first_names, write_description, write_header


class Contig(NamedTuple):
    """One contig while a store is written; ``start`` is its first byte among the codes written so far."""

    name: str
    length: int
    start: int
    md5: str


def encode_sequences(fasta: Sequence[Path], config: Mapping[str, Any], codes: Path, store: Path) -> None:
    """Write the sequence store that a configuration describes.

    Parameters
    ----------
    fasta
        The genome's files.
    config
        ``name``; ``soft_mask`` (default: false) and ``contig_md5`` (default: none pinned) as in :func:`write_store`.
    codes, store
        Files to write, in one folder.

    Raises
    ------
    UserError
        The configuration has another key or lacks the name, or as :func:`write_store`.
    """
    known = {"name", "soft_mask", "contig_md5"}
    if not isinstance(config, Mapping) or "name" not in config or set(config) - known:
        raise UserError(
            f"--config: found {json.dumps(config)}, expected a JSON object with name, soft_mask, contig_md5"
        )
    write_store(
        fasta,
        codes,
        store,
        name=config["name"],
        soft_mask=bool(config.get("soft_mask") or False),
        contig_md5=config.get("contig_md5"),
    )


def write_store(
    fasta: Sequence[Path],
    codes: Path,
    store: Path,
    name: str,
    soft_mask: bool = False,
    contig_md5: Mapping[str, str] | None = None,
) -> None:
    """Encode FASTA files into a sequence store; memory holds one contig at a time.

    With pinned digests the contigs are recognised by what they are and not by their names or order: they are stored
    under the pinned names and in the pinned order, so that every copy of an assembly gives the same bytes.

    Parameters
    ----------
    fasta
        Plain, gzip or bgzip files whose contigs are joined in order.
    codes
        ``codes.npy`` to write.
    store
        ``store.json`` to write, in the same folder, after everything else.
    name
        Of the genome.
    soft_mask
        Whether lower case is kept, as ``SOFT_MASK``.
    contig_md5
        MD5 of the upper-cased letters of every contig, by name.

    Raises
    ------
    UserError
        A file is not FASTA, a letter is unknown, a contig is empty, two have one name, or the contigs are not the
        pinned ones.
    """
    if codes.parent.resolve() != store.parent.resolve():
        raise UserError(f"{codes} and {store}: expected both files of a sequence store in one folder")
    # An old description must never stand beside new codes, should this step die between the two.
    store.unlink(missing_ok=True)
    with atomic(codes) as temporary:
        with temporary.open("wb") as handle:
            begin = write_header(handle, 0)
            contigs = _write_contigs(fasta, handle, soft_mask, contig_md5)
            total = handle.tell() - begin
            handle.seek(0)
            write_header(handle, total, begin)
        if contig_md5:
            contigs = _in_order(contigs, list(contig_md5), temporary)
        digest, crc32 = digest_codes(temporary), checksum(temporary)
    write_description(
        store,
        {
            **stamp(KIND),
            "name": name,
            "alphabet": DNA.name,
            "soft_mask": soft_mask,
            "codes": codes.name,
            "contigs": [
                {"name": contig.name, "length": contig.length, "offset": contig.start, "md5": contig.md5}
                for contig in contigs
            ],
            "digest": digest,
            "crc32": crc32,
        },
    )
    status(f"{name}: {len(contigs)} contigs, {total:,} bases")


def _write_contigs(
    fasta: Sequence[Path], handle: BinaryIO, soft_mask: bool, contig_md5: Mapping[str, str] | None
) -> list[Contig]:
    contigs: list[Contig] = []
    taken: set[str] = set()
    seen: dict[str, Path] = {}
    start = 0
    for path in fasta:
        for name, letters in read_fasta(path):
            if name in seen:
                raise UserError(
                    f"{path}: found contig {name} a second time (first in {seen[name]}), expected each name once; "
                    "rename one of the two or leave it out"
                )
            seen[name] = path
            try:
                codes = encode(letters, soft_mask)
            except UnknownLetter as error:
                raise UserError(
                    f"{path}: contig {name}, base {error.position + 1}: found {error.letter!r}, expected "
                    f"{expected_letters()}; give a nucleotide FASTA without gaps"
                ) from None
            md5 = hashlib.md5(letters.upper(), usedforsecurity=False).hexdigest()
            stored_name = name
            if contig_md5:
                stored_name = _pinned_name(name, md5, contig_md5, taken, path)
                taken.add(stored_name)
            handle.write(codes.data)
            contigs.append(Contig(stored_name, len(codes), start, md5))
            start += len(codes)
    if contig_md5:
        missing = [name for name in contig_md5 if name not in taken]
        if missing:
            raise UserError(
                f"{', '.join(map(str, fasta))}: {len(missing)} of {len(contig_md5)} pinned contigs are missing "
                f"({first_names(missing)}); this is another assembly or another release, or not all of it: give the "
                "genome whose contigs have the digests in contig_md5"
            )
    return contigs


def _pinned_name(name: str, md5: str, contig_md5: Mapping[str, str], taken: set[str], path: Path) -> str:
    candidates = [pinned for pinned, digest in contig_md5.items() if digest.lower() == md5 and pinned not in taken]
    if name in candidates:
        return name
    if candidates:
        status(f"{path}: contig {name} has the digest of {candidates[0]} and is stored under that name")
        return candidates[0]
    expected = f"{contig_md5[name]} for it" if name in contig_md5 else f"one of the {len(contig_md5)} digests"
    raise UserError(
        f"{path}: contig {name}: found a sequence with MD5 {md5}, expected {expected} in contig_md5; this is another "
        "assembly or another release: give the genome that was pinned, or change contig_md5 if this one is meant"
    )


def _in_order(contigs: list[Contig], names: list[str], path: Path) -> list[Contig]:
    place = {name: index for index, name in enumerate(names)}
    ordered = sorted(contigs, key=lambda contig: place[contig.name])
    if ordered == contigs:
        return contigs
    found = np.load(path, mmap_mode="r")
    moved: list[Contig] = []
    start = 0
    with atomic(path) as temporary:
        with temporary.open("wb") as handle:
            write_header(handle, len(found))
            for contig in ordered:
                handle.write(found[contig.start : contig.start + contig.length].data)
                moved.append(contig._replace(start=start))
                start += contig.length
        del found
    return moved
