"""What became of a fault, and the table of all of them."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

OUTCOMES = ("survived", "refused", "lost")


class Verdict(NamedTuple):
    """What became of one fault."""

    kind: str
    """Of the fault, as the table counts it."""
    about: str
    """What was done."""
    outcome: str
    """``survived``: the results are those of an undisturbed run; ``refused``: a sentence names the file and the remedy;
    ``lost``: anything else."""
    told: str
    """What was said, or what differs."""


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the counts of all kinds of faults."""
    counts = Counter((verdict.kind, verdict.outcome) for verdict in verdicts)
    kinds = list(dict.fromkeys(verdict.kind for verdict in verdicts))
    width = max(len(kind) for kind in [*kinds, "all"])
    lines = [f"{'':{width}}  " + "  ".join(f"{outcome:>8}" for outcome in OUTCOMES)]
    lines += [f"{kind:{width}}  " + "  ".join(f"{counts[kind, outcome]:8}" for outcome in OUTCOMES) for kind in kinds]
    return "\n".join(lines)


def summary(name: str, verdicts: Sequence[Verdict]) -> str:
    """Return the line that says how many faults there were, and what became of them."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    return f"{len(verdicts)} {name}: " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
