"""Ways to damage a file: what disks, transfers, editors and people do."""

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from lociflow.models.checkpoint import weights_digest


def flip(path: Path, draws: random.Random) -> None:
    """Flip one bit."""
    content = bytearray(path.read_bytes())
    content[draws.randrange(len(content))] ^= 1 << draws.randrange(8)
    path.write_bytes(content)


def truncate(path: Path, draws: random.Random) -> None:
    """Cut the end off."""
    path.write_bytes(path.read_bytes()[: draws.randrange(1, path.stat().st_size)])


def empty(path: Path, draws: random.Random) -> None:
    """Leave nothing."""
    path.write_bytes(b"")


def delete(path: Path, draws: random.Random) -> None:
    """Remove the file."""
    path.unlink()


def half_folder(path: Path, draws: random.Random) -> None:
    """Remove the file and half of what lies beside it."""
    files = sorted(other for other in path.parent.iterdir() if other.is_file() and other != path)
    for other in (path, *draws.sample(files, len(files) // 2)):
        other.unlink()


def zeros(path: Path, draws: random.Random) -> None:
    """Fill a block of the file with zeros, as a disk does whose power failed before it wrote."""
    content = bytearray(path.read_bytes())
    begin = draws.randrange(len(content))
    end = min(len(content), begin + 4096)
    if not any(content[begin:end]):
        content[begin] = 1
    else:
        content[begin:end] = bytes(end - begin)
    path.write_bytes(content)


def another(path: Path, draws: random.Random) -> None:
    """Put a whole, readable file of the same kind there, with other content."""
    OTHERS.get("".join(path.suffixes[-1:]), _other_text)(path)


def version(path: Path, draws: random.Random) -> None:
    """Put the same content there in a format version that does not exist."""
    VERSIONS[path.suffix](path)


def _other_array(path: Path) -> None:
    array = np.load(path)
    other = array[::-1].copy() if len(array) else array
    if np.array_equal(other, array) and array.size:
        other.flat[0] = 1 - other.flat[0]
    np.save(path, other if array.size else np.zeros((*array.shape[:-1], 1), array.dtype))


def _other_arrays(path: Path) -> None:
    with np.load(path) as found:
        arrays = dict(found)
    name = max((name for name in arrays if arrays[name].dtype.kind in "fiu"), key=lambda name: arrays[name].size)
    arrays[name] = arrays[name] + 1
    np.savez(path, **arrays)


def _other_table(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array(range(table.num_rows - 1, -1, -1))), path)


def _other_json(path: Path) -> None:
    found = json.loads(path.read_text())
    path.write_text(json.dumps(_changed(found)))


def _changed(value: object) -> object:
    if isinstance(value, dict):
        return {key: part if key == "version" else _changed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_changed(part) for part in value]
    return value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else value


def _other_checkpoint(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    state = {name: tensor + 0.25 for name, tensor in content["state_dict"].items()}
    provenance = json.dumps({**json.loads(content["provenance"]), "weights": weights_digest(state)})
    torch.save({**content, "state_dict": state, "provenance": provenance}, path)


def _other_text(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) or b"\n")


def _old_json(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 0}))


def _old_checkpoint(path: Path) -> None:
    torch.save({**torch.load(path, weights_only=True), "version": 0}, path)


def _old_table(path: Path) -> None:
    table = pq.read_table(path)
    old = {
        key: json.dumps({**json.loads(value), "version": 0}).encode() if key == b"lociflow" else value
        for key, value in (table.schema.metadata or {}).items()
    }
    if b"version" in old:
        old[b"version"] = b"0"
    pq.write_table(table.replace_schema_metadata(old), path)


def _old_arrays(path: Path) -> None:
    with np.load(path) as found:
        arrays = dict(found)
    arrays["meta"] = np.array(json.dumps({**json.loads(str(arrays["meta"][()])), "version": 0}))
    np.savez(path, **arrays)


def stamped(path: Path) -> bool:
    """Say whether a file carries a format version."""
    if path.suffix == ".json":
        return "version" in json.loads(path.read_text())
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as found:
            return "meta.npy" in found.namelist()
    if path.suffix == ".parquet":
        return bool({b"lociflow", b"version"} & {*(pq.read_schema(path).metadata or {})})
    return path.suffix == ".ckpt" and path.name == "model.ckpt"


OTHERS: dict[str, Callable[[Path], None]] = {
    ".npy": _other_array,
    ".npz": _other_arrays,
    ".parquet": _other_table,
    ".json": _other_json,
    ".ckpt": _other_checkpoint,
}
VERSIONS: dict[str, Callable[[Path], None]] = {
    ".json": _old_json,
    ".ckpt": _old_checkpoint,
    ".parquet": _old_table,
    ".npz": _old_arrays,
}
DAMAGES = (flip, truncate, empty, zeros, another, version, delete, half_folder)
