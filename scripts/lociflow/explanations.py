"""By which methods a run explains each of its models."""

from collections.abc import Mapping
from typing import Any

from lociflow.command import UserError
from lociflow.config import attribution, did_you_mean, not_valid


def methods_of(
    run: Mapping[str, Any], interpretation: Mapping[str, Any], model: str, offered: Mapping[str, Any]
) -> list[str]:
    """Return the methods by which a run explains a model, in the order of the run.

    Parameters
    ----------
    run
        The configuration of the run: ``explanation_methods``.
    interpretation, model, offered
        As :func:`lociflow.config.attribution`.

    Returns
    -------
    list of str
        Those of ``explanation_methods`` that are valid for the model; where the run names none, the one of the
        interpretation, or else the model's own.

    Raises
    ------
    UserError
        A method does not exist, none that the run names is valid for the model, or the only one is not.
    """
    asked = run.get("explanation_methods")
    if asked is None:
        return [str(attribution(interpretation, model, offered)["method"])]
    known = interpretation["attribution"]["methods"]
    for name in asked:
        if name not in known:
            raise UserError(f"explanation_methods: {name}: there is no such method{did_you_mean(name, known)}")
    if len(asked) == 1 or not offered:
        # Refused there in the same words as a method of the interpretation.
        return [str(attribution(interpretation, model, offered, asked[0])["method"])]
    found = [name for name in asked if name in offered["valid"]]
    if not found:
        raise UserError(
            f"explanation_methods: none of {', '.join(asked)} is valid for model {model} ({not_valid(offered)}); add "
            f"one of {', '.join(offered['valid'])}, or leave the model out of interpret"
        )
    return found


def left_out(run: Mapping[str, Any], offered: Mapping[str, Any]) -> dict[str, str]:
    """Return the methods that a run names and that are not valid for a model, each with the reason."""
    asked = run.get("explanation_methods") or []
    return {name: not_valid(offered) for name in asked if name not in offered.get("valid", [])}
