"""Scores of another tool for the same bins, read from its own tables: its result beside what is trained here."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.compression import GZIP_ERRORS, open_binary
from lociflow.evaluation.predictions import SCORED, prediction_table
from lociflow.sequence.store import SequenceStore


def read_scores(
    store: SequenceStore,
    windows: pd.DataFrame,
    targets: np.ndarray,
    names: Sequence[str],
    *,
    tool: str,
    files: Sequence[str | Path],
) -> pd.DataFrame:
    """Give every validation and test bin the score that another tool has for it.

    Nothing is fitted, and what the tool was trained on is not known here: a score of a bin that it has learnt from is
    no prediction. LS-GKM's tables, for instance, are name and score of each test sequence (``gkmpredict``), or name,
    score, label and fold of each training sequence in a cross-validation (``gkmtrain -x``), all of folds left out.

    Parameters
    ----------
    store, targets
        Not looked at.
    windows
        ``split``, ``contig``, ``start``, ``end`` (0-based, half-open); the row number is the bin.
    names
        Of the one target.
    tool
        Name of the tool, for messages.
    files
        Tab-separated tables without a header, plain or gzip: name, score, anything. A bin has the name of its sequence
        where sequences have one bin each, else ``contig:start-end``. Empty lines and those that begin with # are passed
        over.

    Raises
    ------
    UserError
        There is no file or several targets, a line has no name and number, a bin has two scores or none, or two
        bins have one name.
    """
    if len(names) != 1:
        raise UserError(f"baseline {tool}: found {len(names)} targets, expected one; leave it out of baselines")
    if not files:
        raise UserError(f"baseline {tool}: found no table of its scores, expected some; give them as --scores")
    scores: dict[str, float] = {}
    for file in files:
        for place, name, score in read_table(Path(file)):
            if scores.setdefault(name, score) != score:
                raise UserError(
                    f"{place}: found a second score of {name}, {score:g}, expected {scores[name]:g} as before"
                )
    split = windows["split"].astype(str).to_numpy()
    bins = np.flatnonzero(np.isin(split, SCORED))
    called = _bin_names(windows, bins)
    if len(set(called)) < len(called):
        twice = next(name for name, count in Counter(called).items() if count > 1)
        raise UserError(
            f"baseline {tool}: several validation and test bins are called {twice} (shuffled negatives, or both "
            "strands of a place), expected a name of its own for each, or their scores cannot be told apart; leave it "
            "out of baselines"
        )
    if lacking := [name for name in called if name not in scores]:
        raise UserError(
            f"baseline {tool}: {len(lacking):,} of {len(bins):,} validation and test bins have no score, the first is "
            f"{lacking[0]}; expected one for each in {', '.join(map(str, files))}"
        )
    found = np.array([scores[name] for name in called], np.float32)
    return prediction_table(bins, split[bins], found[:, np.newaxis], names)


def read_table(path: Path) -> Iterator[tuple[str, str, float]]:
    """Yield place (file and line), name and score of each line of a table, see :func:`read_scores`.

    Raises
    ------
    UserError
        A line has no name and number, or the file cannot be read.
    """
    try:
        with open_binary(path) as handle:
            for number, line in enumerate(handle, start=1):
                text = line.decode("utf-8", errors="replace").rstrip("\r\n")
                if not text.strip() or text.startswith("#"):
                    continue
                name, _, rest = text.partition("\t")
                try:
                    score = float(rest.partition("\t")[0])
                except ValueError:
                    score = math.nan
                if not name or math.isnan(score):
                    raise UserError(f"{path}, line {number}: found {text!r}, expected a name, a tab and a score")
                yield f"{path}, line {number}", name, score
    except FileNotFoundError:
        raise UserError(f"{path}: no such file, expected a table of scores") from None
    except GZIP_ERRORS as error:
        raise UserError(
            f"{path}: is truncated or damaged ({error}), expected a table of scores; fetch it again"
        ) from None


def _bin_names(windows: pd.DataFrame, bins: np.ndarray) -> list[str]:
    asked = windows.iloc[bins]
    if windows["contig"].is_unique:
        return [str(contig) for contig in asked["contig"]]
    places = zip(asked["contig"], asked["start"], asked["end"], strict=True)
    return [f"{contig}:{start}-{end}" for contig, start, end in places]
