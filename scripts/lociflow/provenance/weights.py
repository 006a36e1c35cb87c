"""A checkpoint's provenance and its weights' digest, read without torch and without running what the file names."""

import contextlib
import hashlib
import io
import json
import math
import pickle
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lociflow.command import UserError
from lociflow.machine_refusals import is_refusal

# torch's storages, with the name of their type and its bytes.
STORAGES = {
    "DoubleStorage": ("torch.float64", 8),
    "FloatStorage": ("torch.float32", 4),
    "HalfStorage": ("torch.float16", 2),
    "BFloat16Storage": ("torch.bfloat16", 2),
    "LongStorage": ("torch.int64", 8),
    "IntStorage": ("torch.int32", 4),
    "ShortStorage": ("torch.int16", 2),
    "CharStorage": ("torch.int8", 1),
    "ByteStorage": ("torch.uint8", 1),
    "BoolStorage": ("torch.bool", 1),
}

DAMAGE = (
    OSError, EOFError, IndexError, KeyError, TypeError, ValueError, AttributeError, RuntimeError, zlib.error,
    pickle.UnpicklingError, zipfile.BadZipFile,
)  # fmt: skip


class _Storage(NamedTuple):
    key: str
    dtype: str
    width: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]


def weights_digest_of(path: Path) -> str:
    """Return the SHA-256 of the weights in a checkpoint.

    The same as :func:`lociflow.models.checkpoint.weights_digest` of its ``state_dict``, computed from the numbers that
    are in the file and held to the digest that the checkpoint's provenance names. What else a checkpoint says, of
    versions for instance, is left out of account.

    Parameters
    ----------
    path
        ``model.ckpt``, as :func:`lociflow.models.checkpoint.save_checkpoint` writes it: a zip archive of torch.

    Raises
    ------
    UserError
        The file is no such checkpoint, is damaged, or its weights are not those that it names.
    """
    with _opened(path) as (archive, folder, content):
        digest = _digest(content["state_dict"], archive, folder)
        named = json.loads(content["provenance"]).get("weights")
    if named is not None and named != digest:
        raise UserError(
            f"{path}: found weights with the digest {digest}, expected {named}, which the checkpoint itself names; "
            "remove it and train again"
        )
    return digest


def provenance_in(path: Path) -> dict[str, Any]:
    """Return what a checkpoint says about where it comes from; its weights are not read.

    Parameters
    ----------
    path
        As in :func:`weights_digest_of`.

    Raises
    ------
    UserError
        The file is no such checkpoint, or is damaged.
    """
    with _opened(path) as (_, _, content):
        return dict(json.loads(content["provenance"]))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, str, Mapping[str, Any]]]:
    """Open a checkpoint: the archive, the folder inside it, and what it holds, with descriptions for tensors."""
    try:
        with zipfile.ZipFile(path) as archive:
            folder = archive.namelist()[0].partition("/")[0]
            yield archive, folder, _Reader(io.BytesIO(archive.read(f"{folder}/data.pkl"))).load()
    except DAMAGE as error:
        if is_refusal(error):
            raise
        reason = str(error) or type(error).__name__
        raise UserError(f"{path}: cannot be read as a checkpoint ({reason}); remove it and train again") from None


def _digest(state: Mapping[str, _Tensor], archive: zipfile.ZipFile, folder: str) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        storage, offset, shape = state[name]
        begin, size = offset * storage.width, math.prod(shape) * storage.width
        digest.update(f"{name} {storage.dtype} {shape}\n".encode())
        data = archive.read(f"{folder}/data/{storage.key}")[begin : begin + size]
        if len(data) != size:
            raise ValueError(f"{name} has {len(data)} of {size} bytes")
        digest.update(data)
    return digest.hexdigest()


class _Reader(pickle.Unpickler):
    """Builds descriptions of tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"found {module}.{name}, expected tensors alone")

    def persistent_load(self, saved: Any) -> _Storage:
        _, (dtype, width), key, *_ = saved
        return _Storage(key, dtype, width)


def _tensor(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> _Tensor:
    steps, contiguous = 1, True
    for size, step in zip(reversed(shape), reversed(stride), strict=True):
        contiguous = contiguous and (step == steps or size == 1)
        steps *= size
    if not contiguous:
        raise ValueError("found a tensor that is not contiguous")
    return _Tensor(storage, offset, tuple(shape))
