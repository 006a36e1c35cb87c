"""Which models a run takes out of lociflow, and what is said of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lociflow.command import UserError
from lociflow.config import Configuration, did_you_mean
from lociflow.layout import split_label
from lociflow.run import is_unsupervised

# Source files that a model card names; of more it says how many there are.
MOST_SOURCES = 20


def exported(
    run: Mapping[str, Any], groups: Configuration, compared: Sequence[str], is_control: Callable[[str], bool]
) -> list[str]:
    """Return the models that a run exports: those that it names, or all that are trained on labels and no controls.

    Parameters
    ----------
    run
        The configuration of the run: ``export``.
    groups
        Where models are defined.
    compared
        The models that the run compares.
    is_control
        Whether a model is untrained or trained on permuted labels.

    Raises
    ------
    UserError
        A model is none of the run's, was trained without labels, or is a control.
    """
    asked = run.get("export")
    if asked is None:
        return []
    named = asked.get("models")
    if named is None:
        return [label for label in compared if not is_unsupervised(groups, label) and not is_control(label)]
    for label in named:
        if label not in compared:
            raise UserError(f"export.models: {label} is none of this run's models{did_you_mean(label, compared)}")
        if is_unsupervised(groups, label):
            raise UserError(
                f"export.models: {label} is trained without labels, expected a model with outputs; export one that "
                "starts from its weights"
            )
        if is_control(label):
            raise UserError(
                f"export.models: {label} is a control, from which nothing can be learnt, expected a trained model; "
                "leave it out"
            )
    return list(named)


def about(
    groups: Configuration, dataset: str, label: str, attribution: Mapping[str, Any], sources: int
) -> dict[str, Any]:
    """Return what a model card takes from configurations; see :class:`lociflow.export.card.CardFacts`."""
    model, data = groups.group("model", split_label(label)[0]), groups.dataset(dataset)
    return {
        "name": label,
        "model": {key: model.get(key) or "" for key in ("name", "description", "paper", "doi")},
        "dataset": {key: data.get(key) or "" for key in ("description", "citation", "licence")},
        "attribution": {key: attribution.get(key) or [] for key in ("valid", "method", "reason")},
        "sources": sources,
    }
