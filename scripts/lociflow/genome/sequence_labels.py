"""The labels of sequences that carry them: columns of a table, classes of FASTA files, fields of their headers."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.contig_names import some
from lociflow.genome.label_kinds import KINDS, label_kind
from lociflow.genome.regions import STRANDS, categorical
from lociflow.genome.splits import SPLITS
from lociflow.genome.target_labels import TargetLabels
from lociflow.genome.whole_sequences import cropped_and_padded
from lociflow.sequence.labelled import LabelledSequence, labelled_files, read_labelled
from lociflow.sequence.records import Place
from lociflow.sequence.store import SequenceStore

# As labels.missing says by default; Parquet and pandas write NaN for what is missing.
MISSING = ("", "NA", "NaN", "nan", "null")
SEQUENCE_KINDS = ("binary", "class", "real")

# Most texts that a column may hold where its values are classes.
MOST_CLASSES = 1 << 15


class Column(NamedTuple):
    """The values of one column: codes into the texts that occur, and where each text was first found."""

    codes: np.ndarray
    texts: list[str]
    places: list[Place]


def sequence_labels(config: Mapping[str, Any], sources: Path, store: SequenceStore) -> TargetLabels:
    """Read the labels of a data set of sequences.

    Parameters
    ----------
    config
        Of the data set: ``sequences`` (see :func:`lociflow.sequence.labelled.read_labelled`), ``targets``, ``labels``
        and ``windows``, by whose ``length`` sequences that are longer or shorter are counted. ``targets.columns`` is a
        list of columns, or a mapping from the targets' names to columns. ``labels`` has ``kind`` and ``missing``, the
        texts that stand for a missing value (default: :data:`MISSING`),
        and

        - for ``binary``: ``positive``, the values that are positive, all others being negative; or ``positive_above``
          and ``negative_below``: a number of at least the one is positive, below the other negative, and ignored
          between them (``negative_below`` is ``positive_above`` where null); or neither, for values 1 and 0;
        - for ``class``: ``classes``, in the order of their numbers (a list, or one by column); default: sorted;
        - for ``real``: nothing; values are numbers.
    sources
        Folder in which the files lie.
    store
        The store that was made of the same files.

    Returns
    -------
    TargetLabels
        Its ``label`` gives each bin the label of its sequence. ``published`` and ``group`` are None where no file gives
        any.

    Raises
    ------
    UserError
        A file or the configuration is bad, a value does not fit, or the store was made of something else.
    """
    columns = target_columns(config.get("targets") or {})
    rule = dict(config.get("labels") or {})
    kind = label_kind(rule.get("kind") or "binary")
    if kind.name not in SEQUENCE_KINDS:
        raise UserError(
            f"labels.kind: found {kind.name} for labelled sequences, expected one of {', '.join(SEQUENCE_KINDS)}"
        )
    found = _collect(config["sequences"], sources, store, list(dict.fromkeys(columns.values())))
    missing = {str(text) for text in (MISSING if rule.get("missing") is None else rule["missing"])}
    table = np.empty((len(store.names), len(columns)), dtype=kind.dtype)
    classes: list[list[str]] = []
    for number, (target, column) in enumerate(columns.items()):
        values = found.columns[column]
        if kind.name == "class":
            classes.append(_classes(rule.get("classes"), column, values, missing))
            of_texts = _class_of_texts(values, classes[-1], column, missing)
        elif kind.name == "real":
            of_texts = _numbers(values, column, missing).astype(np.float32)
        else:
            of_texts = _binary_of_texts(values, column, missing, rule)
        table[:, number] = of_texts[values.codes]
        if kind.name == "binary" and not rule.get("allow_empty_targets") and not (table[:, number] == 1).any():
            raise UserError(
                f"targets.columns: target {target} has no positive sequence, expected some; the values of column "
                f"{column} are {some(values.texts)}: correct labels, or set labels.allow_empty_targets"
            )
    table.setflags(write=False)
    absent = np.isnan(table).sum(axis=0) if kind.name == "real" else (table == KINDS[kind.name].missing).sum(axis=0)
    return TargetLabels(
        names=list(columns),
        kind=kind.name,
        label=lambda bins: table[bins["contig"].cat.codes.to_numpy()],
        anchors=_no_anchors(store, list(columns)),
        classes=classes or None,
        counts={
            "files": found.files,
            "sequences": len(store.names),
            "stops_left_out": store.stops,
            "windows": cropped_and_padded(store.lengths, config["windows"]["length"])
            if config.get("windows")
            else None,
            "missing_or_ignored": dict(zip(columns, absent.tolist(), strict=True)),
        },
        metadata=pd.DataFrame(index=range(len(columns))),
        by_contig=False,
        published=found.published,
        group=found.group,
    )


def target_columns(targets: Mapping[str, Any]) -> dict[str, str]:
    """Return the column of each target from a data set's ``targets``.

    Raises
    ------
    UserError
        There is no column, another key, or a target twice.
    """
    columns = targets.get("columns")
    if set(targets) != {"columns"} or not columns or isinstance(columns, str):
        raise UserError(f"targets: found {dict(targets)!r}, expected columns: [COLUMN, …] or columns: {{NAME: COLUMN}}")
    if isinstance(columns, Mapping):
        return {str(target): str(column) for target, column in columns.items()}
    names = [str(column) for column in columns]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"targets.columns: found {repeated} twice, expected each column once; remove one")
    return {name: name for name in names}


class _Found(NamedTuple):
    columns: dict[str, Column]
    published: pd.Categorical | None
    group: pd.Categorical | None
    files: list[dict[str, Any]]


class _Texts:
    """Numbers texts in the order in which they come: a column of a million values of few kinds takes 8 MB."""

    def __init__(self, rows: int) -> None:
        self.codes = np.full(rows, -1, dtype=np.int64)
        self.numbers: dict[str, int] = {}
        self.places: list[Place] = []

    def add(self, row: int, text: str, place: Place) -> None:
        number = self.numbers.setdefault(text, len(self.numbers))
        if number == len(self.places):
            self.places.append(place)
        self.codes[row] = number


def _collect(sequences: Mapping[str, Any], sources: Path, store: SequenceStore, columns: Sequence[str]) -> _Found:
    size = len(store.names)
    values = {column: _Texts(size) for column in columns}
    groups = _Texts(size)
    splits = np.full(size, -1, dtype=np.int8)
    read: dict[Path, int] = {sources / str(entry["file"]): 0 for entry in labelled_files(sequences)}
    number = -1
    for number, found in enumerate(read_labelled(sequences, sources)):
        if number >= size or store.names[number] != found.name:
            raise UserError(_other_store(store, found))
        for column in columns:
            if column not in found.values:
                raise UserError(_no_column(column, found))
            values[column].add(number, found.values[column], found.place)
        if found.split is not None:
            splits[number] = SPLITS.index(found.split)
        if found.group is not None:
            groups.add(number, found.group, found.place)
        read[found.place.path] += 1
    if number + 1 != size:
        raise UserError(
            f"{store.path}: found {size} sequences, expected the {number + 1} of the files; encode them again"
        )
    return _Found(
        {column: Column(texts.codes, list(texts.numbers), texts.places) for column, texts in values.items()},
        categorical(splits, SPLITS) if (splits >= 0).any() else None,
        categorical(groups.codes, list(groups.numbers)) if groups.numbers else None,
        [{"file": path.name, "read": count, "dropped": {}, "clipped": 0} for path, count in read.items()],
    )


def _other_store(store: SequenceStore, found: LabelledSequence) -> str:
    return (
        f"{found.place}: found sequence {found.name}, expected the one that {store.path} has at its place; run "
        "snakemake again to encode the files that are there now"
    )


def _no_column(column: str, found: LabelledSequence) -> str:
    known = [name for name in found.values if name not in ("name", "split", "group")]
    close = get_close_matches(column, known, n=1)
    return f"targets.columns: found {column}, expected one that {found.place} gives ({some(known) or 'none'})" + (
        f"; did you mean {close[0]}?" if close else "; for FASTA give class beside each file, or a header pattern"
    )


def _classes(wanted: Any, column: str, values: Column, missing: set[str]) -> list[str]:
    listed = wanted.get(column) if isinstance(wanted, Mapping) else wanted
    classes = sorted(set(values.texts) - missing) if listed is None else [str(name) for name in listed]
    if len(classes) < 2 or len(set(classes)) < len(classes) or len(classes) >= MOST_CLASSES:
        raise UserError(
            f"labels.classes: found {len(classes)} classes of column {column} ({some(classes)}), expected at least two "
            f"different ones and fewer than {MOST_CLASSES}; correct labels.classes, or labels.kind"
        )
    return classes


def _class_of_texts(values: Column, classes: Sequence[str], column: str, missing: set[str]) -> np.ndarray:
    place = {name: number for number, name in enumerate(classes)}
    codes = np.full(len(values.texts), -1, dtype=np.int16)
    for number, text in enumerate(values.texts):
        if text in place:
            codes[number] = place[text]
        elif text not in missing:
            raise UserError(
                f"{values.places[number]}: found {text!r} in {column}, expected one of labels.classes "
                f"({some(classes)}) or of labels.missing; correct them or the file"
            )
    return codes


def _binary_of_texts(values: Column, column: str, missing: set[str], rule: Mapping[str, Any]) -> np.ndarray:
    positive, above, below = (rule.get(key) for key in ("positive", "positive_above", "negative_below"))
    if positive is not None and (above is not None or below is not None):
        raise UserError("labels: found positive and a threshold, expected one of the two; remove the other")
    if above is None and below is not None:
        raise UserError("labels.negative_below: found no positive_above beside it, expected one; add it")
    if above is not None:
        low = above if below is None else below
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (above, low)) or low > above:
            raise UserError(
                f"labels: found positive_above {above!r} and negative_below {low!r}, expected two numbers of which the "
                "second is no larger"
            )
        numbers = _numbers(values, column, missing)
        labels = np.full(len(numbers), -1, dtype=np.int8)
        labels[numbers < low] = 0
        labels[numbers >= above] = 1
        return labels
    if positive is None:
        return _ones_and_zeros(values, column, missing)
    wanted = {str(text) for text in ([positive] if isinstance(positive, str | int | float) else positive)}
    unseen = sorted(wanted - set(values.texts))
    if unseen:
        raise UserError(
            f"labels.positive: found {unseen[0]!r}, which column {column} does not have, expected some of "
            f"{some(values.texts)}; correct it"
        )
    return np.array([-1 if text in missing else text in wanted for text in values.texts], dtype=np.int8)


def _ones_and_zeros(values: Column, column: str, missing: set[str]) -> np.ndarray:
    labels = np.full(len(values.texts), -1, dtype=np.int8)
    for number, text in enumerate(values.texts):
        if text in missing:
            continue
        if text not in ("0", "1", "0.0", "1.0"):
            raise UserError(
                f"{values.places[number]}: found {text!r} in {column}, expected 0 or 1; say which values are positive "
                "with labels.positive or labels.positive_above"
            )
        labels[number] = text[0] == "1"
    return labels


def _numbers(values: Column, column: str, missing: set[str]) -> np.ndarray:
    numbers = np.full(len(values.texts), np.nan)
    for number, text in enumerate(values.texts):
        if text in missing:
            continue
        try:
            numbers[number] = float(text)
        except ValueError:
            numbers[number] = np.inf
        # float() also reads nan, which is no number that anybody has measured.
        if not np.isfinite(numbers[number]):
            raise UserError(
                f"{values.places[number]}: found {text!r} in {column}, expected a number, or one of labels.missing; "
                "correct the file or add it there"
            )
    return numbers


def _no_anchors(store: SequenceStore, targets: Sequence[str]) -> pd.DataFrame:
    nothing = np.empty(0, np.int64)
    return pd.DataFrame(
        {
            "contig": categorical(nothing, store.names),
            "start": nothing,
            "end": nothing,
            "strand": categorical(nothing, STRANDS),
            "summit": nothing,
            "score": np.empty(0, np.float64),
            "target": categorical(nothing, targets),
        }
    )
