"""What folders of tracks say of themselves."""

import json
from pathlib import Path
from typing import Any

from lociflow.command import UserError
from lociflow.formats import check_format


def read_tracks(path: Path, kind: str) -> dict[str, Any]:
    """Read the JSON beside a folder of tracks.

    Parameters
    ----------
    path
        The file.
    kind
        ``tracks`` or ``attribution tracks``.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as {kind} ({error}); remove it and run snakemake again") from None
    check_format(found, kind, path)
    return found
