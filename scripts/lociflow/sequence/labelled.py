"""Read sequences that carry their own labels: FASTA files and tables, without a genome.

The order of the files and of the sequences in them is the order everywhere after. What a table or a header says of a
sequence stays text here: what it means is for the labels to decide.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from lociflow.command import UserError
from lociflow.sequence.records import Place, fasta_records, table_records

KEYS = (
    "alphabet",
    "fasta",
    "table",
    "header",
    "format",
    "sequence",
    "name",
    "split",
    "group",
    "repeated_names",
    "soft_mask",
)

# How a split may be called in a file.
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


class LabelledSequence(NamedTuple):
    """A sequence and what its file says of it."""

    name: str
    letters: str
    """As they stand in the file, without white space at the ends."""
    values: dict[str, str]
    """Text by column: of a table all columns but the sequence's, of FASTA ``class`` and what the header names."""
    split: str | None
    """"train", "validation", "test", or None where nothing is said."""
    group: str | None
    place: Place


def read_labelled(config: Mapping[str, Any], sources: Path) -> Iterator[LabelledSequence]:
    """Read the sequences that a data set names, one at a time.

    Parameters
    ----------
    config
        ``sequences`` of a data set. One of

        - ``fasta``: files, each a mapping with ``file`` and perhaps ``class``, ``split``, ``group``, which hold for all
          of its sequences; ``header`` is a regular expression that is searched in every header line behind the ">",
          whose named groups are ``name``, ``class``, ``split``, ``group`` and any other column. Without it, and where
          it has no such group, the name is the header's first word;
        - ``table``: files, each with ``file`` and perhaps ``split``, ``group``; ``format`` has ``separator`` (null: by
          the file's suffix) and ``columns``, for files without a header line. ``sequence``, ``name``, ``split`` and
          ``group`` are names of columns, the last three may be null.

        A null ``name`` numbers the sequences, from 1, over all files. ``repeated_names`` is "refuse", or "number":
        then the second sequence NAME becomes NAME#2.
    sources
        Folder in which the files lie.

    Yields
    ------
    LabelledSequence
        In the order of the files.

    Raises
    ------
    UserError
        The configuration or a file is bad, a sequence is empty, a split is unknown, or a name occurs twice.
    """
    rows = _fasta(config, sources) if _kind(config) == "fasta" else _tables(config, sources)
    numbered = config.get("name", "name") is None
    repeated = config.get("repeated_names") or "refuse"
    if repeated not in ("refuse", "number"):
        raise UserError(f"sequences.repeated_names: found {repeated!r}, expected refuse or number")
    seen: dict[str, int] = {}
    for number, found in enumerate(rows, start=1):
        if not found.letters:
            raise UserError(f"{found.place}: found an empty sequence, expected at least one letter; remove it")
        if numbered:
            yield found._replace(name=str(number))
            continue
        if not found.name:
            raise UserError(f"{found.place}: found no name, expected one; set sequences.name to null to number them")
        seen[found.name] = seen.get(found.name, 0) + 1
        if seen[found.name] == 1:
            yield found
            continue
        if repeated == "refuse":
            raise UserError(
                f"{found.place}: found the name {found.name} a second time, expected each once; rename one, or set "
                "sequences.repeated_names to number, or sequences.name to null"
            )
        name = f"{found.name}#{seen[found.name]}"
        while name in seen:
            seen[found.name] += 1
            name = f"{found.name}#{seen[found.name]}"
        seen[name] = 1
        yield found._replace(name=name)


def labelled_files(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of ``fasta`` or ``table``, each with ``file``, in order.

    Raises
    ------
    UserError
        There is none, there are both, or a key is unknown.
    """
    return [dict(entry) for entry in config[_kind(config)]]


def _kind(config: Mapping[str, Any]) -> str:
    if unknown := [key for key in config if key not in KEYS]:
        close = get_close_matches(unknown[0], KEYS, n=1)
        raise UserError(
            f"sequences: found the key {unknown[0]!r}, expected one of {', '.join(KEYS)}"
            + (f"; did you mean {close[0]}?" if close else "")
        )
    kinds = [kind for kind in ("fasta", "table") if config.get(kind)]
    if len(kinds) != 1:
        raise UserError(f"sequences: found {' and '.join(kinds) or 'neither'}, expected one of fasta and table")
    for entry in config[kinds[0]]:
        if not isinstance(entry, Mapping) or not entry.get("file"):
            raise UserError(f"sequences.{kinds[0]}: found {entry!r}, expected a mapping with a source's file")
    return kinds[0]


def _fasta(config: Mapping[str, Any], sources: Path) -> Iterator[LabelledSequence]:
    pattern = _pattern(config.get("header"))
    for entry in config["fasta"]:
        path = sources / str(entry["file"])
        fixed = {key: str(entry[key]) for key in ("class", "split", "group") if entry.get(key) is not None}
        for place, header, letters in fasta_records(path):
            values = {"name": header.split(maxsplit=1)[0], **fixed}
            if pattern is not None:
                match = pattern.search(header)
                if match is None:
                    raise UserError(
                        f"{place}: found the header {header[:60]!r}, expected one that sequences.header "
                        f"{pattern.pattern!r} matches; correct the pattern or the file"
                    )
                # What a file says of all its sequences stands where a header is silent.
                values |= {
                    key: value for key, value in match.groupdict(default="").items() if value or key not in fixed
                }
            yield _labelled(values, letters, place, "name", "split", "group")


def _pattern(text: Any) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except (re.error, TypeError) as error:
        raise UserError(f"sequences.header: found {text!r}, expected a regular expression ({error})") from None


def _tables(config: Mapping[str, Any], sources: Path) -> Iterator[LabelledSequence]:
    layout = config.get("format") or {}
    sequence = config.get("sequence") or "sequence"
    chosen = {"name": config.get("name", "name"), "split": config.get("split"), "group": config.get("group")}
    for entry in config["table"]:
        path = sources / str(entry["file"])
        fixed = {key: str(entry[key]) for key in ("class", "split", "group") if entry.get(key) is not None}
        needed = [sequence, *(column for column in chosen.values() if column is not None)]
        for place, row in table_records(path, layout.get("separator"), layout.get("columns")):
            if missing := [column for column in needed if column not in row]:
                raise UserError(_no_column(path, missing[0], list(row)))
            letters = row.pop(sequence)
            yield _labelled({**fixed, **row}, letters, place, chosen["name"], chosen["split"], chosen["group"], fixed)


def _no_column(path: Path, column: str, columns: Sequence[str]) -> str:
    close = get_close_matches(column, columns, n=1)
    return (
        f"{path}: found the columns {', '.join(columns)}, expected {column!r} among them; "
        + (f"did you mean {close[0]}? " if close else "")
        + "name them in sequences (sequence, name, split, group), or list them in sequences.format.columns for a file "
        "without a header line"
    )


def _labelled(
    values: dict[str, str],
    letters: str,
    place: Place,
    name: str | None,
    split: str | None,
    group: str | None,
    fixed: Mapping[str, str] | None = None,
) -> LabelledSequence:
    said = {
        key: values.get(column, "") if column is not None else (fixed or {}).get(key, "")
        for key, column in (("split", split), ("group", group))
    }
    word = said["split"].strip().lower()
    if word and word not in SPLIT_WORDS:
        raise UserError(
            f"{place}: found the split {said['split']!r}, expected train, validation, test or nothing; correct it"
        )
    return LabelledSequence(
        name=values.get(name, "") if name is not None else "",
        letters=letters,
        values=values,
        split=SPLIT_WORDS[word] if word else None,
        group=said["group"] or None,
        place=place,
    )
