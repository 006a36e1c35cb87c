"""The versions of the files that one step writes and another reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.machine_refusals import is_refusal

VERSIONS = {
    "source": 1,
    "sequence store": 2,
    "windows": 2,
    "checkpoint": 2,
    "predictions": 1,
    "metrics": 2,
    "audit": 1,
    "attributions": 1,
    "explanation scores": 2,
    "motif recovery": 1,
    "attention": 2,
    "window track": 1,
    "explanation checks": 1,
    "importance": 1,
    "spacing": 1,
    "latent": 1,
    "reconstruction": 1,
    "variant background": 1,
    "variant effects": 1,
    "tracks": 1,
    "attribution tracks": 1,
    "exported model": 1,
}


def stamp(kind: str) -> dict[str, Any]:
    """Return the two entries that say what a file is: ``format`` and ``version``."""
    return {"format": kind, "version": VERSIONS[kind]}


def check_format(found: Mapping[str, Any], kind: str, path: Path) -> None:
    """Refuse a file of another kind or version.

    Raises
    ------
    UserError
        The stamp in ``found`` is not the present one of ``kind``.
    """
    if found.get("format") != kind or found.get("version") != VERSIONS[kind]:
        raise UserError(
            f"{path}: found {found.get('format', 'no format')!s} version {found.get('version', 'none')!s}, expected "
            f"{kind} version {VERSIONS[kind]}; remove the file and run snakemake again to rebuild it"
        )


def read_stamped(path: Path, kind: str) -> dict[str, Any]:
    """Read a JSON file of one kind, in the present version.

    Raises
    ------
    UserError
        The file is missing, is no JSON, or is of another kind or version.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if is_refusal(error):
            raise
        raise UserError(f"{path}: cannot be read as {kind} ({error}); remove it and run snakemake again") from None
    check_format(found, kind, path)
    return found
