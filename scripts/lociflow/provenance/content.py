"""Digests of what result files say, blind to how their bytes came to be: versions of libraries, row groups, seconds."""

import csv
import hashlib
import itertools
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lociflow.command import UserError
from lociflow.file_digest import sha256_of
from lociflow.provenance.weights import weights_digest_of

# Bytes of an array that are held in memory at once.
BLOCK = 1 << 20
# Columns of tables that say how long something took.
TIMED = ("seconds", "train_seconds", "samples_per_second")


def content_digest(path: Path) -> str | None:
    """Return the SHA-256 of what a result file says; None for files that no two runs need have in common.

    Pages, figures, tables for people, exports and HDF5 files carry times, versions or places and have none. Large
    files are read piece by piece.

    Raises
    ------
    UserError
        The file is not what its name says.
    """
    reader = READERS.get("".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix)
    if reader is None:
        return None
    try:
        return reader(path)
    except (OSError, ValueError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be read ({error}); remove it and run snakemake again") from None


def table_digest(path: Path) -> str:
    """Digest a Parquet table: what is said of it, and each column's name, type and values."""
    whole = hashlib.sha256(json.dumps(_said(path)).encode())
    for name, digest in column_digests(path).items():
        whole.update(f"{name} {digest}\n".encode())
    return whole.hexdigest()


def _said(path: Path) -> list[tuple[str, str]]:
    metadata = pq.read_schema(path).metadata or {}
    # These two repeat the columns in the words of the library that wrote them.
    said = {key: value for key, value in metadata.items() if key not in (b"ARROW:schema", b"pandas")}
    return sorted((key.decode(), value.decode()) for key, value in said.items())


def column_digests(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each column of a Parquet table, its type included, by name."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        found = {field.name: _Column(_plain(field.type)) for field in file.schema_arrow}
        for batch in file.iter_batches():
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                found[name].add(column)
    return {name: column.hexdigest() for name, column in found.items()}


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


class _Column:
    """The running digests of a column: which values are missing, how long each is, and what they are."""

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self.valid, self.lengths, self.values = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        nested = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        self.inner = _Column(_plain(kind.value_type)) if nested else None

    def add(self, array: pa.Array) -> None:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        self.valid.update(array.is_valid().cast(pa.uint8()).to_numpy(zero_copy_only=False))
        array = array.drop_null()
        if self.inner is not None:
            self.lengths.update(pc.list_value_length(array).cast(pa.int64()).to_numpy(zero_copy_only=False))
            self.inner.add(array.flatten())
        elif pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
            self.lengths.update(pc.binary_length(array).cast(pa.int64()).to_numpy(zero_copy_only=False))
            joined = pc.binary_join(pa.LargeListArray.from_arrays([0, len(array)], array), "")
            self.values.update(joined[0].as_py().encode())
        elif pa.types.is_boolean(array.type):
            self.values.update(array.cast(pa.uint8()).to_numpy(zero_copy_only=False))
        elif pa.types.is_primitive(array.type):
            self.values.update(array.to_numpy(zero_copy_only=False).tobytes())
        else:
            raise ValueError(f"found a column of {array.type}, expected numbers, truth values, text or lists of them")

    def hexdigest(self) -> str:
        parts = [self.valid, self.lengths, self.values]
        inner = [self.inner.hexdigest()] if self.inner else []
        told = [str(self.kind), *(part.hexdigest() for part in parts), *inner]
        return hashlib.sha256(" ".join(told).encode()).hexdigest()


def array_digest(path: Path) -> str:
    """Digest an array: type, shape and values."""
    with path.open("rb") as handle:
        return _digest_of(handle)


def arrays_digest(path: Path) -> str:
    """Digest the arrays of an ``.npz`` file by their names, whatever their order and compression."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            with archive.open(name) as handle:
                digest.update(f"{name} {_digest_of(handle)}\n".encode())
    return digest.hexdigest()


def _digest_of(handle: IO[bytes]) -> str:
    version = np.lib.format.read_magic(handle)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_column, dtype = read(handle)
    if dtype.hasobject:
        raise ValueError("found objects, expected numbers or text")
    digest = hashlib.sha256(f"{dtype.str} {shape} {by_column}\n".encode())
    while block := handle.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def json_digest(path: Path) -> str:
    """Digest the value of a JSON file, whatever its layout and the order of its keys."""
    value = json.loads(path.read_text(encoding="utf-8"))
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def untimed_digest(path: Path) -> str:
    """Digest a table as text without the columns that say how long something took."""
    digest = hashlib.sha256()
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="," if path.suffix == ".csv" else "\t")
        header = next(rows, [])
        timed = {index for index, name in enumerate(header) if name in TIMED}
        for row in itertools.chain([header], rows):
            digest.update(json.dumps([cell for index, cell in enumerate(row) if index not in timed]).encode())
    return digest.hexdigest()


READERS: dict[str, Callable[[Path], str]] = {
    ".ckpt": weights_digest_of,
    ".parquet": table_digest,
    ".npy": array_digest,
    ".npz": arrays_digest,
    ".json": json_digest,
    ".csv": untimed_digest,
    ".tsv": untimed_digest,
    ".bed": sha256_of,
    ".bw": sha256_of,
    ".fasta": sha256_of,
    ".meme": sha256_of,
    ".tsv.gz": sha256_of,
    ".vcf.gz": sha256_of,
}
