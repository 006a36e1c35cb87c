"""What the sources of a data set say of its bins: the labels, whatever they come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.label_kinds import KINDS, LabelKind

Labeller = Callable[[pd.DataFrame], np.ndarray]
"""From bins of one contig (``contig`` in the store's order, ``start``, ``end``, ``strand``; sorted) to their labels."""


@dataclass(frozen=True, eq=False)
class TargetLabels:
    """The targets of a data set and how bins are labelled with them."""

    names: list[str]
    """Of the targets, one per column of the labels."""
    kind: str
    """One of :data:`lociflow.genome.label_kinds.KINDS`."""
    label: Labeller
    """Returns the kind's dtype, shape (bins, targets) or (bins, positions, targets)."""
    anchors: pd.DataFrame
    """Regions on which bins can be centred: ``contig`` (categorical in the store's order), ``start``, ``end``,
    ``strand``, ``summit`` (-1: none), ``score``, ``target``; may be empty."""
    classes: list[list[str]] | None = None
    """Names of each target's classes, for the kinds ``class`` and ``position_class``."""
    reverse: list[int] | None = None
    """The order of the targets when a window is read from the other strand; None: the same."""
    control: Labeller | None = None
    """A control experiment's values, in the labels' shape."""
    counts: dict[str, Any] = field(default_factory=dict)
    """What was read, dropped and clipped, as JSON values; ``files`` has an entry for each file."""
    metadata: pd.DataFrame = field(default_factory=pd.DataFrame)
    """A row a target: what else is known of it."""
    by_contig: bool = True
    """Whether the labeller wants the bins of one contig at a time."""
    standardise: bool = False
    """Whether labels are brought to mean 0 and standard deviation 1 of the training bins once all are known."""
    published: pd.Categorical | None = None
    """The split that came with the data, one value a sequence of the store; only of labelled sequences."""
    group: pd.Categorical | None = None
    """The group of each sequence of the store (gene, family, individual); only of labelled sequences."""
    kept_anchors: Callable[[pd.DataFrame], np.ndarray] | None = None
    """From all bins to whether each anchor marks one: ``bool``; None where the question has no meaning."""

    def __post_init__(self) -> None:
        """Refuse names that could end a line, or a word, of what they are written into."""
        for name in (*self.names, *(name for names in self.classes or () for name in names)):
            if not str(name).isprintable():
                raise UserError(
                    f"targets: found the name {name!r}, expected printable characters, as names stand in tables, "
                    "tracks and pages; rename it"
                )

    @property
    def label_kind(self) -> LabelKind:
        """Return what is known of the kind."""
        return KINDS[self.kind]
