"""Arrays that say of themselves what they are: ``.npz`` files that one step writes and another reads."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lociflow.command import UserError, atomic
from lociflow.formats import check_format, stamp
from lociflow.machine_refusals import is_refusal

META = "meta"


def write_arrays(
    path: Path, kind: str, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray], compressed: bool = True
) -> None:
    """Write arrays with what is said of them; the same values give the same bytes.

    Parameters
    ----------
    path
        ``.npz`` to write; read it with ``allow_pickle=False``.
    kind
        Of :data:`lociflow.formats.VERSIONS`.
    meta
        JSON values, kept as text under ``meta``.
    arrays
        By name.
    compressed
        Whether it is worth the time.
    """
    text = json.dumps({**stamp(kind), **meta}, sort_keys=True, allow_nan=False)
    save = np.savez_compressed if compressed else np.savez
    with atomic(path) as temporary, temporary.open("wb") as handle:
        save(handle, **arrays, **{META: np.array(text)})  # type: ignore[arg-type]


def read_arrays(path: Path, kind: str, names: Sequence[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read some arrays of a file, by name, and what is said of them.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            meta: dict[str, Any] = json.loads(str(found[META][()]))
            check_format(meta, kind, path)
            return {name: found[name] for name in names}, meta
    except UserError:
        raise
    # A damaged archive may raise almost anything.
    except Exception as error:
        if is_refusal(error):
            raise
        raise UserError(f"{path}: cannot be read as {kind} ({error}); remove it and run snakemake again") from None
