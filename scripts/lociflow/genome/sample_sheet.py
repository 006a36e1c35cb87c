"""Sample sheets: tab-separated tables that list targets, their files and what is known of them."""

import csv
from pathlib import Path
from typing import NamedTuple

from lociflow.command import UserError

SOURCE_COLUMNS = ("file", "url", "path", "sha256")

# Quotes let a field hold them; no table that is written from the sheet can.
BREAKS = "\t\r\n\0"


class SampleSheetRow(NamedTuple):
    """One target of a sample sheet."""

    target: str
    source: dict[str, str]
    """``file``, ``url``, ``path`` and ``sha256``; empty where the sheet says nothing."""
    metadata: dict[str, str]
    """Every other column."""


def read_sample_sheet(path: Path) -> list[SampleSheetRow]:
    """Read a sample sheet.

    Parameters
    ----------
    path
        Tab-separated text with a header: ``target``, at least one of ``url`` and ``path``, and optionally ``file``
        (the place under resources/sources and under a mirror), ``sha256`` and any metadata.

    Returns
    -------
    list
        One row a target, in the sheet's order.

    Raises
    ------
    UserError
        The sheet is missing or empty, lacks a column or has one twice, names a target twice or a target without a file,
        has a tab or line end inside a field, or is no text in UTF-8.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such sample sheet; its path is relative to the data set's YAML file")
    try:
        rows = _read_rows(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a sample sheet") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); expected tab-separated text in UTF-8 in which a field that begins "
            "with a quote ends with one"
        ) from None
    if not rows:
        raise UserError(f"{path}: lists no target; add one line for each")
    return list(rows.values())


def _read_rows(path: Path) -> dict[str, SampleSheetRow]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle, delimiter="\t", strict=True)
        header = reader.fieldnames or []
        if any(mark in name for mark in BREAKS for name in header):
            raise UserError(
                f"{path}, line 1: found a tab, line end or zero byte inside a column's name, expected a header of one "
                "line; take the quotes or the mark away"
            )
        if "target" not in header or not {"url", "path"} & set(header):
            raise UserError(
                f"{path}: found the columns {', '.join(header)[:200] or 'none'}, expected tab-separated columns target "
                "and url or path; add a header line"
            )
        twice = [name for number, name in enumerate(header) if name in header[:number]]
        if twice:
            raise UserError(f"{path}, line 1: found the column {twice[0]!r} twice, expected each name once; rename one")
        rows: dict[str, SampleSheetRow] = {}
        for record in reader:
            line = reader.line_num
            if None in record or None in record.values():
                raise UserError(f"{path}, line {line}: found another number of columns than the header's {len(header)}")
            broken = [name for name, value in record.items() if any(mark in value for mark in BREAKS)]
            if broken:
                raise UserError(
                    f"{path}, line {line}: found a tab, line end or zero byte inside the column {broken[0]}, expected "
                    "one line of text; take the quotes or the mark away"
                )
            target = record["target"].strip()
            if not target:
                raise UserError(f"{path}, line {line}: the target has no name; fill in the column target")
            if target in rows:
                raise UserError(f"{path}, line {line}: target {target} stands here twice; give each target one line")
            source = {name: (record.get(name) or "").strip() for name in SOURCE_COLUMNS}
            if bool(source["url"]) == bool(source["path"]):
                found = "both" if source["url"] else "none"
                raise UserError(f"{path}, line {line}: target {target} needs either a url or a path, found {found}")
            metadata = {name: value for name, value in record.items() if name not in ("target", *SOURCE_COLUMNS)}
            rows[target] = SampleSheetRow(target, source, metadata)
    return rows
