"""What a check says: a verdict, the number behind it, what a good value is and what to do.

Only what makes every score untrue can fail: leaks between the sides of a split, and coordinates or sequences that are
not those of the genome. Everything else warns.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from lociflow.command import UserError

PASS, WARN, FAIL = "pass", "warn", "fail"
VERDICTS = (PASS, WARN, FAIL)

KIND = "audit"


class Topic(NamedTuple):
    """One of the questions of the audit."""

    title: str
    question: str
    can_fail: bool


CHECKS = {
    "duplicates": Topic("Exact duplicates", "Is a sequence of the test set also in the training set?", True),
    "overlap": Topic("Overlapping intervals", "Do windows on two sides of the split share bases?", True),
    "near_duplicates": Topic("Near-duplicates", "Does a test window have a near relative in the training set?", True),
    "conflicts": Topic("Same sequence, different labels", "Does one sequence occur with two answers?", False),
    "shortcuts": Topic("Shortcuts", "Can a model guess the label without reading any motif?", False),
    "balance": Topic("Balance and drift", "Are there positives enough, and are the sides alike?", False),
    "coordinates": Topic("Assembly and coordinates", "Do the files and the genome speak of the same places?", True),
    "groups": Topic("Groups", "Does a group stand on two sides of the split?", True),
}

# ``warn`` and ``fail``: a value above it has that verdict. Leaks are fractions of the windows of the held-out side.
DEFAULTS: dict[str, dict[str, float]] = {
    "duplicates": {"warn": 0.0, "fail": 0.005},
    "overlap": {"warn": 0.0, "fail": 0.005},
    # A real genome has subtelomeres, transposons and paralogs: 3 to 7 % of yeast. ``cut_short``: searches that ended
    # before everything alike was looked at, of all searches; more of them warn.
    "near_duplicates": {"warn": 0.01, "fail": 0.15, "identity": 0.8, "coverage": 0.5, "cut_short": 0.01},
    "conflicts": {"warn": 0.0},
    # ``auroc``: of a property by itself, at the lower end of its interval. ``pearson``: likewise, for real targets.
    "shortcuts": {"auroc": 0.75, "pearson": 0.5, "positives": 20},
    # ``positives``: fewer on a side leave nothing to learn, or a score without meaning. ``drift``, ``matching``: KS
    # distances.
    "balance": {"positives": 20, "drift": 0.2, "matching": 0.1},
    # ``warn``, ``fail``: fraction of intervals beyond their contig's end. ``mismatches``: of reference bases.
    "coordinates": {"warn": 0.0, "fail": 0.01, "mismatches": 0.01},
    "groups": {"warn": 0.0, "fail": 0.0},
    # Where a data set has more, so many windows are drawn with this seed: ``windows`` for composition and shortcuts,
    # ``held_out`` validation and test windows, which are held against all windows of the other sides.
    "sample": {"windows": 100_000, "held_out": 200_000, "seed": 0},
}
ON_FAILURE = ("stop", "warn")


@dataclass(frozen=True)
class Table:
    """A table below a check: ``rows`` of texts and numbers, a number being a count (int) or a measurement (float)."""

    title: str
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True)
class Place:
    """A stretch of the genome, or a sequence of a table, in which a check has found something."""

    name: str
    """``contig:start-end``, 0-based and half-open, or a sequence's name."""
    windows: int
    """How many windows of the held-out side in it are concerned."""
    remark: str = ""


@dataclass(frozen=True)
class Exceeded:
    """A limit that has made a check fail."""

    key: str
    """Where the configuration of the data set has it, ``audit.coordinates.mismatches``."""
    limit: float
    value: float
    """What was found."""


@dataclass(frozen=True)
class Check:
    """What one check has found in one split."""

    check: str
    split: str | None
    """None where it is about the data set and holds for every split."""
    verdict: str
    says: str
    """The finding, in one sentence."""
    value: float | None
    """The number behind the verdict; None where the question does not apply."""
    unit: str
    warn: float | None
    fail: float | None
    good: str
    remedy: str
    details: list[Table] = field(default_factory=list)
    where: list[Place] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    """What its figures draw; see :mod:`lociflow.audit.figures`."""
    applies: bool = True
    exceeded: list[Exceeded] = field(default_factory=list)
    """The limits that made it fail, where they are others than ``fail``."""

    def as_json(self) -> dict[str, Any]:
        """Return the check as JSON values; ``exceeded`` has every limit that made it fail."""
        found = self
        if self.verdict == FAIL and not self.exceeded and self.fail is not None and self.value is not None:
            found = replace(self, exceeded=[Exceeded(f"audit.{self.check}.fail", self.fail, self.value)])
        return {**asdict(found), "title": CHECKS[self.check].title}


def settings(config: Any) -> dict[str, dict[str, float]]:
    """Return the thresholds of a configuration's ``audit``, those that it does not name at their default.

    Raises
    ------
    UserError
        There is no such key, or a value is no number.
    """
    on_failure(config)
    found = {name: dict(values) for name, values in DEFAULTS.items()}
    for name, values in config.items() if isinstance(config, Mapping) else ():
        if name == "on_failure":
            continue
        if name not in found:
            raise UserError(f"audit: found the key {name!r}, {_expected(str(name), ['on_failure', *found])}")
        if not isinstance(values, Mapping):
            raise UserError(f"audit.{name}: found {values!r}, expected a mapping with {', '.join(found[name])}")
        for key, value in values.items():
            if key not in found[name]:
                raise UserError(f"audit.{name}: found the key {key!r}, {_expected(str(key), list(found[name]))}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise UserError(f"audit.{name}.{key}: found {value!r}, expected a number of at least 0")
            found[name][key] = value
    return found


def on_failure(config: Any) -> str:
    """Return what a failed check does, "stop" or "warn": ``audit: warn`` and ``audit: {on_failure: warn}`` are one.

    Raises
    ------
    UserError
        It is neither.
    """
    chosen = config if not isinstance(config, Mapping) else config.get("on_failure")
    chosen = "stop" if chosen is None else chosen
    if chosen not in ON_FAILURE:
        raise UserError(f"audit: found {chosen!r}, expected stop or warn, or a mapping with on_failure and thresholds")
    return str(chosen)


def _expected(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"expected one of {', '.join(known)}" + (f"; did you mean {close[0]}?" if close else "")


def judge(value: float, limits: Mapping[str, float]) -> str:
    """Return the verdict on a value that should be small."""
    if value > limits.get("fail", float("inf")):
        return FAIL
    return WARN if value > limits.get("warn", float("inf")) else PASS


def worst(verdicts: list[str]) -> str:
    """Return the worst of some verdicts."""
    return max(verdicts, key=VERDICTS.index, default=PASS)


def not_applicable(check: str, split: str | None, why: str) -> Check:
    """Return the result of a check whose question has no meaning for a data set."""
    return Check(check, split, PASS, why, None, "", None, None, "", "", applies=False)


def percent(fraction: float) -> str:
    """Write a fraction so that a small one is not rounded away and an incomplete one is not rounded up to all."""
    share = 100 * fraction
    if share in (0.0, 100.0):
        return f"{share:.0f} %"
    if share < 0.01:
        return "less than 0.01 %"
    if share > 99.9:
        return "more than 99.9 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 window``, ``1,204 windows``, ``3 classes``."""
    return f"{number:,} {noun if number == 1 else several(noun)}"


def several(noun: str) -> str:
    """Return the plural of a noun."""
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"
