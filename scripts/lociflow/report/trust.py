"""Which explanation to trust: the ranking of explanations as the page shows it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lociflow.report.drawing import Figure
from lociflow.report.explanation_figure import ranking_figure
from lociflow.report.explanation_ranking import answers, records
from lociflow.report.results import DatasetResults


class Trust(NamedTuple):
    """What the section shows of one data set."""

    figure: Figure
    answers: Sequence[Mapping[str, Any]]
    """For each trained model its best method, as :func:`lociflow.report.explanation_ranking.answers`."""
    rows: Sequence[Mapping[str, Any]]
    """Of the ranking, with None for what is missing."""
    has_spacing: bool


def trust(dataset: DatasetResults) -> Trust | None:
    """Arrange the ranking of a data set's explanations, None without one.

    Where no model is explained, or asked to be, by more than one method there is nothing to choose between: None too.
    """
    table = dataset.explanation_ranking
    if table is None or not len(table) or table["model"].value_counts().max() < 2:
        return None
    caption = "AUPRC of planted positions by architecture and method, mean over factors"
    return Trust(
        Figure(ranking_figure(table, dataset.name), caption),
        answers(table),
        records(table),
        bool(table["spacing"].notna().any()),
    )
