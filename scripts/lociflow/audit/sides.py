"""What several checks of leaks say in the same way: how much of a held-out side leaks, in which class, and where."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from lociflow.audit.subject import Subject
from lociflow.audit.verdicts import VERDICTS, Check, Place, Table, counted, judge, percent
from lociflow.genome.leaks import Leaks

# Which side is held against which: a model is chosen by validation and judged by test.
PAIRS = (("test", "train"), ("validation", "train"), ("validation", "test"))
# What a side is called before a noun.
WORDS = {"train": "training", "validation": "validation", "test": "test"}
# Places that are named on the page; the table beside it has every window.
MOST_PLACES = 20
# Leaking windows that are this close, in bases, are one place.
GAP = 5_000
# What lies this close to the end of a contig, in bases, is called a subtelomere where the contig is a chromosome.
SUBTELOMERE = 30_000


class Share(NamedTuple):
    """How much of one side leaks from another."""

    side: str
    source: str
    leaking: int
    of: int

    @property
    def fraction(self) -> float:
        """Return the leaking fraction, 0 of an empty side."""
        return self.leaking / self.of if self.of else 0.0


def shares(leaks: Leaks, split: pd.Categorical, reason: str) -> list[Share]:
    """Count the bins of each held-out side that leak for one reason, for each pair of sides."""
    table = leaks.table[leaks.table["reason"] == reason]
    found = []
    for side, source in PAIRS:
        rows = table.loc[(table["split"] == side) & (table["of_split"] == source), "row"]
        found.append(Share(side, source, int(rows.nunique()), int((split == side).sum())))
    return found


def telling(found: list[Share], settings: Mapping[str, float]) -> Share:
    """Return the pair of sides that a check speaks of.

    The worst verdict decides, and among equals the first pair that leaks at all: what concerns the test set is told
    before what concerns the choice of a model.
    """
    return max(
        found,
        key=lambda share: (VERDICTS.index(judge(share.fraction, settings)), share.leaking > 0, -found.index(share)),
    )


def pair_table(found: list[Share], what: str) -> Table:
    """Put the pairs of sides into a table."""
    rows = [
        [f"{share.side} against {share.source}", share.leaking, share.of, percent(share.fraction)] for share in found
    ]
    return Table(f"{what}, by pair of sides", ["sides", "windows concerned", "windows looked at", "share"], rows)


def leak_check(
    key: str,
    name: str,
    found: list[Share],
    settings: Mapping[str, float],
    says: str,
    advice: tuple[str, str],
    tables: list[Table],
    where: list[Place],
) -> Check:
    """Judge what two sides of a split have in common by the pair of sides that tells most.

    Parameters
    ----------
    key
        Of the check.
    name
        Of the split.
    found
        The share of each pair of sides.
    settings
        ``warn`` and ``fail``.
    says
        The finding, in one sentence.
    advice
        What a good value is, and what to do otherwise.
    tables, where
        What stands below.
    """
    fraction = telling(found, settings).fraction
    warn, fail = limits(settings)
    figure = {"kind": "sides", "shares": [[s.side, s.source, s.fraction] for s in found], "warn": warn, "fail": fail}
    return Check(
        key, name, judge(fraction, settings), says, fraction, "of the held-out windows", warn, fail, *advice, tables,
        where, [figure],
    )  # fmt: skip


def class_table(subject: Subject, split: pd.Categorical, rows: np.ndarray, side: str, what: str) -> Table:
    """Count by class how many bins of a side are among ``rows``."""
    concerned = np.zeros(len(split), bool)
    concerned[rows] = True
    on_side = np.asarray(split == side)
    lines = []
    for name, members in subject.parts:
        of = int((members & on_side).sum())
        leaking = int((members & on_side & concerned).sum())
        lines.append([name, leaking, of, percent(leaking / of) if of else "–"])
    return Table(f"{what} in the {side} set, by class", ["class", "windows concerned", "windows", "share"], lines)


def leaking_rows(leaks: Leaks, reason: str, side: str, source: str) -> pd.DataFrame:
    """Return the leaks of one reason between two sides, one row a bin."""
    table = leaks.table
    chosen = (table["reason"] == reason) & (table["split"] == side) & (table["of_split"] == source)
    return table[chosen].drop_duplicates("row").sort_values("row")


def places(
    subject: Subject,
    rows: np.ndarray,
    of_rows: np.ndarray,
    describe: Callable[[np.ndarray], str] = lambda rows: "",
) -> list[Place]:
    """Name where bins lie that leak: stretches of the genome with the most of them first, or sequences by name.

    Parameters
    ----------
    subject
        The data set.
    rows
        Indices of the bins.
    of_rows
        For each the bin that it repeats, -1 where there is none.
    describe
        Called with positions in ``rows`` of one place; its text ends the remark.
    """
    if not len(rows):
        return []
    if not subject.has_genome:
        listed = [
            Place(subject.name_of(row), 1, _joined(_as(subject, of), describe(np.array([number]))))
            for number, (row, of) in enumerate(zip(rows[:MOST_PLACES], of_rows[:MOST_PLACES], strict=True))
        ]
        return [*listed, *_rest(len(rows) - len(listed), counted(len(rows) - len(listed), "more sequence"))]
    windows = subject.windows
    contig = windows["contig"].cat.codes.to_numpy()[rows].astype(np.int64)
    start, end = windows["start"].to_numpy()[rows], windows["end"].to_numpy()[rows]
    order = np.lexsort((start, contig))
    # Contigs one after the other on a common line, far apart.
    line = contig[order] << 40
    reached = np.maximum.accumulate(line + end[order])
    new = np.ones(len(rows), bool)
    new[1:] = line[1:] + start[order][1:] > reached[:-1] + GAP
    members = np.split(order, np.flatnonzero(new)[1:])
    members.sort(key=lambda group: (-len(group), int(contig[group[0]]), int(start[group[0]])))
    names = windows["contig"].cat.categories
    lengths = dict(zip(subject.store.names, subject.store.lengths.tolist(), strict=True))
    found = []
    for group in members[:MOST_PLACES]:
        name = str(names[contig[group[0]]])
        low, high = int(start[group].min()), int(end[group].max())
        kin = of_rows[group][of_rows[group] >= 0]
        likes = _most_alike(subject, kin)
        remark = _joined(_where_in_contig(low, high, lengths[name]), likes, describe(group))
        found.append(Place(f"{name}:{low}-{high}", len(group), remark))
    left = members[MOST_PLACES:]
    return [*found, *_rest(sum(map(len, left)), counted(len(left), "more place"))]


def _rest(windows: int, name: str) -> list[Place]:
    return [Place(f"and {name}", windows)] if windows else []


def in_subtelomeres(subject: Subject, rows: np.ndarray) -> np.ndarray:
    """Return which bins lie within ``SUBTELOMERE`` bases of the end of a chromosome, as :func:`places` calls it."""
    if not subject.has_genome:
        return np.zeros(len(rows), bool)
    windows = subject.windows.iloc[rows]
    length = subject.store.lengths[subject.place.contig[rows]]
    distance = np.minimum(windows["start"].to_numpy(), length - windows["end"].to_numpy())
    return np.asarray((length >= 5 * SUBTELOMERE) & (distance < SUBTELOMERE))


def _where_in_contig(low: int, high: int, length: int) -> str:
    distance = min(low, length - high)
    if length < 5 * SUBTELOMERE or distance >= SUBTELOMERE:
        return ""
    return f"subtelomere, {max(distance, 0) / 1000:.0f} kb from the end of the chromosome"


def _most_alike(subject: Subject, rows: np.ndarray) -> str:
    if not len(rows):
        return ""
    windows = subject.windows.iloc[rows]
    contigs = windows["contig"].astype(str).value_counts()
    if len(contigs) >= 4:
        return f"like places on {len(contigs)} chromosomes, a dispersed repeat"
    name = str(contigs.index[0])
    same = windows[windows["contig"].astype(str) == name]
    middle = int(same["start"].median())
    near = same[(same["start"] - middle).abs() < 50_000]
    text = f"like {name}:{near['start'].min()}-{near['end'].max()}"
    return text + (f" and {len(contigs) - 1} more" if len(contigs) > 1 else "")


def _as(subject: Subject, row: int) -> str:
    return f"as {subject.name_of(row)}" if row >= 0 else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def limits(settings: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Return the thresholds ``warn`` and ``fail``."""
    return settings.get("warn"), settings.get("fail")
