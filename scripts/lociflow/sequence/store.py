"""The sequence store: the integer codes of every contig of a genome in one memory-mapped array.

``codes.npy`` holds the codes of all contigs, joined; ``store.json`` beside it says where each contig lies. Coordinates
are 0-based and half-open. Sequences without a genome lie in a store in the same way, each as a contig of its own
(:mod:`lociflow.sequence.encoding`).
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from lociflow.checksums import checksum, watch
from lociflow.command import UserError, atomic, json_text, status, write_json
from lociflow.formats import check_format, stamp
from lociflow.sequence.alphabet import DNA, Alphabet, UnknownLetter, encode, expected_letters, find_alphabet
from lociflow.sequence.fasta import read_fasta

KIND = "sequence store"
SEAL = re.compile(rb'"seal": "([0-9a-f]{64})"')

# Bases that gather() looks at together in windows that reach beyond a contig.
EDGE_CHUNK = 1 << 22


@dataclass(frozen=True, eq=False)
class SequenceStore:
    """An open sequence store. Pickling sends its path, so that loader workers map the file and do not copy it."""

    path: Path
    """The ``store.json``."""
    name: str
    """Of the genome."""
    names: tuple[str, ...]
    """Of the contigs, in order; a contig's place is its index everywhere else."""
    lengths: np.ndarray
    """``int64``, shape ``(contigs,)``, in bases."""
    offsets: np.ndarray
    """``int64``, shape ``(contigs,)``: where each contig begins in ``codes``."""
    md5: tuple[str, ...]
    """MD5 of each contig's upper-cased letters (the M5 field of a SAM header); empty for sequences without a genome."""
    codes: np.ndarray
    """``uint8``, shape ``(bases of all contigs,)``, read-only view of the memory map."""
    soft_mask: bool
    """Whether codes of lower-case letters carry ``SOFT_MASK``."""
    digest: str
    """SHA-256 of the codes, in hexadecimal; of sequences without a genome also of their names and lengths."""
    alphabet: Alphabet = DNA
    """What the codes mean."""
    stops: int = 0
    """Stop signs (``*``) at the ends of protein sequences, which were left out."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _map_store, (self.path,)


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
                f"({_some(missing)}); this is another assembly or another release, or not all of it: give the genome "
                "whose contigs have the digests in contig_md5"
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


def _some(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def write_header(handle: BinaryIO, length: int, expected_end: int | None = None) -> int:
    """Write the header of a ``.npy`` file of so many codes and return where it ends.

    Written once more when the length is known, with ``expected_end`` as it was the first time.
    """
    # numpy pads the header so that the first axis may grow in place; the length is not known before the last contig.
    np.lib.format.write_array_header_1_0(handle, {"descr": "|u1", "fortran_order": False, "shape": (length,)})
    end = handle.tell()
    if expected_end is not None and end != expected_end:
        raise RuntimeError("numpy no longer reserves space in the header of a .npy file")
    return end


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


def digest_codes(path: Path) -> str:
    """Return the SHA-256 of the codes in a ``.npy`` file, in hexadecimal."""
    codes = np.load(path, mmap_mode="r")
    digest = hashlib.sha256()
    for start in range(0, len(codes), 1 << 24):
        digest.update(codes[start : start + (1 << 24)].data)
    return digest.hexdigest()


# The codes that this process has held to their checksum: file, length and time of the last change.
_CHECKED: set[tuple[str, int, int]] = set()


def open_store(path: Path) -> SequenceStore:
    """Open a sequence store by its ``store.json`` and hold its codes to their checksum, once in a process.

    The codes are read through once for it, at the speed of the disk or, where they are in the system's cache, at
    several gigabytes a second; windows are then read from that cache.

    Raises
    ------
    UserError
        The store is missing, of another format or version, or its codes are not those that were written.
    """
    store, codes, expected = _open(Path(path))
    about = codes.stat()
    key = (os.fspath(codes.resolve()), about.st_size, about.st_mtime_ns)
    if key not in _CHECKED:
        found = checksum(codes)
        if found != expected:
            raise UserError(
                f"{codes}: found CRC-32 and length {found}, expected {expected} by {path}; the codes are damaged or "
                "those of another genome: remove both files and run snakemake again to rebuild them"
            )
        watch(codes, found)
        _CHECKED.add(key)
    return store


def write_description(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``store.json`` with the SHA-256 of its own text: a changed digit would give other sequences."""
    write_json(path, {**content, "seal": hashlib.sha256(json_text({**content, "seal": ""}).encode()).hexdigest()})


def _is_sealed(text: bytes) -> bool:
    seal = SEAL.search(text)
    # Without one it is nobody's: a file that was written by hand.
    return seal is None or hashlib.sha256(text.replace(seal[1], b"", 1)).hexdigest() == seal[1].decode()


def _map_store(path: Path) -> SequenceStore:
    return _open(path)[0]


def _open(path: Path) -> tuple[SequenceStore, Path, str]:
    try:
        text = path.read_bytes()
        found = json.loads(text)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected the store.json of a genome") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{path}: found no JSON object, expected a {KIND}; give the store.json of a genome")
    check_format(found, KIND, path)
    if not _is_sealed(text):
        raise UserError(
            f"{path}: found other text than was written, by the digest that stands in it; it is damaged or was edited: "
            "remove it and run snakemake again to rebuild it"
        )
    names, lengths, offsets, md5 = _contigs(found["contigs"])
    codes_path = path.with_name(found["codes"])
    try:
        codes = np.asarray(np.load(codes_path, mmap_mode="r"))
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{codes_path}: cannot be read ({error}); remove {path} and run snakemake again to rebuild both"
        ) from None
    if codes.dtype != np.uint8 or codes.shape != (int(lengths.sum()),):
        raise UserError(
            f"{codes_path}: found {codes.dtype} of shape {codes.shape}, expected uint8 of shape "
            f"({int(lengths.sum())},) by {path}; remove both and run snakemake again to rebuild them"
        )
    store = SequenceStore(
        path=path,
        name=found["name"],
        names=names,
        lengths=lengths,
        offsets=offsets,
        md5=md5,
        codes=codes,
        soft_mask=found["soft_mask"],
        digest=found["digest"],
        alphabet=find_alphabet(found["alphabet"]),
        stops=found.get("stops", 0),
    )
    return store, codes_path, str(found["crc32"])


def _contigs(contigs: Any) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, tuple[str, ...]]:
    if isinstance(contigs, dict):
        lengths = np.array(contigs["lengths"], dtype=np.int64)
        return tuple(contigs["names"]), lengths, np.cumsum(lengths) - lengths, ()
    return (
        tuple(contig["name"] for contig in contigs),
        np.array([contig["length"] for contig in contigs], dtype=np.int64),
        np.array([contig["offset"] for contig in contigs], dtype=np.int64),
        tuple(contig["md5"] for contig in contigs),
    )


def contigs(store: SequenceStore) -> pd.DataFrame:
    """Return a row for each contig, at its index: ``contig``, ``md5`` (str; None where unknown), ``length`` (int64)."""
    md5: list[str | None] = [*store.md5] or [None] * len(store.names)
    return pd.DataFrame({"contig": list(store.names), "length": store.lengths, "md5": md5})


def contig_index(store: SequenceStore, names: Iterable[str]) -> np.ndarray:
    """Return the index, ``int64``, of each contig that is named.

    Raises
    ------
    UserError
        The store has no contig of a name.
    """
    place = {name: index for index, name in enumerate(store.names)}
    names = list(names)
    unknown = [name for name in dict.fromkeys(names) if name not in place]
    if unknown:
        raise UserError(
            f"{store.path}: has no contig {_some(unknown)}; expected one of {_some(store.names)}; check the names or "
            "add them to contig_aliases"
        )
    return np.fromiter((place[name] for name in names), dtype=np.int64, count=len(names))


def gather(store: SequenceStore, contig: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
    """Cut windows out of the contigs; what lies beyond a contig's ends is the alphabet's letter for any: N, X.

    Parameters
    ----------
    store
        The genome.
    contig
        Index of each window's contig, shape ``(n,)``.
    start
        First base of each window, 0-based, shape ``(n,)``; may be negative or beyond the contig.
    length
        Bases per window, at least 1.

    Returns
    -------
    numpy.ndarray
        ``uint8`` codes of the forward strand, shape ``(n, length)``, writable.

    Raises
    ------
    ValueError
        The shapes differ, the length is not positive, or an index is not that of a contig.
    """
    contig = np.asarray(contig, dtype=np.int64)
    start = np.asarray(start, dtype=np.int64)
    if contig.ndim != 1 or contig.shape != start.shape:
        raise ValueError(f"contig {contig.shape} and start {start.shape}: expected two vectors of one length")
    if length < 1:
        raise ValueError(f"length {length}: expected at least 1")
    if len(contig) and not (contig.min() >= 0 and contig.max() < len(store.names)):
        raise ValueError(f"contig: expected indices from 0 to {len(store.names) - 1}")
    contig_length = store.lengths[contig]
    raw = store.offsets[contig] + start
    inside = (start >= 0) & (start <= contig_length - length)
    if inside.all() and len(inside):
        return _windows(store.codes, length)[raw]
    # A window that leaves its contig is first read across the border; what is not the contig's is then overwritten.
    readable = (raw >= 0) & (raw + length <= len(store.codes))
    gathered = np.full((len(start), length), store.alphabet.pad, dtype=np.uint8)
    if readable.any():
        gathered[readable] = _windows(store.codes, length)[raw[readable]]
    for row in np.flatnonzero(~readable & (start < contig_length) & (start + length > 0)):
        first, last = max(start[row], 0), min(start[row] + length, contig_length[row])
        begin = store.offsets[contig[row]]
        gathered[row, first - start[row] : last - start[row]] = store.codes[begin + first : begin + last]
    edge = np.flatnonzero(readable & ~inside)
    base = np.arange(length)
    step = max(1, EDGE_CHUNK // length)
    for low in range(0, len(edge), step):
        rows = edge[low : low + step]
        left, right = -start[rows, None], (contig_length[rows] - start[rows])[:, None]
        windows = gathered[rows]
        windows[(base < left) | (base >= right)] = store.alphabet.pad
        gathered[rows] = windows
    return gathered


def _windows(codes: np.ndarray, length: int) -> np.ndarray:
    # Indexing this view copies whole windows, byte after byte, with one index each: no matrix of positions.
    return np.lib.stride_tricks.sliding_window_view(codes, length)
