"""The sequence store: the integer codes of every contig of a genome in one memory-mapped array.

``codes.npy`` holds the codes of all contigs, joined; ``store.json`` beside it says where each contig lies. Coordinates
are 0-based and half-open. Sequences without a genome lie in a store in the same way, each as a contig of its own
(:mod:`lociflow.sequence.encoding`); those of a genome are written by :mod:`lociflow.sequence.genome_store`.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from lociflow.checksums import checksum, watch
from lociflow.command import UserError, json_text, write_json
from lociflow.formats import check_format
from lociflow.sequence.alphabet import DNA, Alphabet, find_alphabet

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


def first_names(names: Iterable[str], most: int = 5) -> str:
    """Return the first of some names, for a message."""
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
            f"{store.path}: has no contig {first_names(unknown)}; expected one of {first_names(store.names)}; check "
            "the names or add them to contig_aliases"
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
