"""What a training's recipe comes to for the kind of labels at hand; knows no torch unless an own loss is named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from lociflow.command import UserError
from lociflow.instantiate import trusted_object
from lociflow.training.score_names import HEADLINE, LOSS, PREFIX, SCORES

UNLABELLED = "none"
# Kinds that an architecture supports unless its file says otherwise.
SUPPORTED = ("binary", "class", "real")
# The schedule that sets the learning rate from a number of its own, max_lr, whatever the optimiser's is.
OWN_RATE = "torch.optim.lr_scheduler.OneCycleLR"


def settle(recipe: Mapping[str, Any], kind: str, supported: Sequence[str], where: str) -> dict[str, Any]:
    """Replace what stands for the kind's own by what it is, and leave out what is for other kinds.

    Parameters
    ----------
    recipe
        The configuration's ``training``: with ``losses`` (by kind), and ``headline`` for a monitored score.
    kind
        Of the data set's labels.
    supported
        The kinds that the model supports; ``[none]`` where it is trained without labels.
    where
        Data set and model, for messages.

    Returns
    -------
    dict
        The recipe with one ``loss`` (None where there is an ``objective``), and the monitored score by its column in
        the history.

    Raises
    ------
    UserError
        The model does not support the kind, an objective without labels is missing or too much, the loss is for other
        kinds, or the monitored score is none of the kind's.
    """
    found = dict(recipe)
    losses, objective = found.pop("losses", None) or {}, found.get("objective")
    unlabelled = list(supported) == [UNLABELLED]
    if unlabelled != bool(objective):
        expected = "an objective such as {_target_: lociflow.training.masked.MaskedTokens}" if unlabelled else "null"
        raise UserError(
            f"{where}: training.objective: found {objective and objective.get('_target_')}, expected {expected} for a "
            f"model that is trained {'without' if unlabelled else 'on'} labels"
        )
    own = losses.get(kind)
    if unlabelled:
        found["loss"] = None
    elif own or found.get("loss"):
        found["loss"] = _loss(found.get("loss"), own, kind, where)
    if found.get("early_stopping"):
        monitor = _monitor(found["early_stopping"].get("monitor"), UNLABELLED if unlabelled else kind, objective, where)
        found["early_stopping"] = {**found["early_stopping"], "monitor": monitor}
    return found


def check_rate(changed: Collection[str], recipe: Mapping[str, Any], where: str) -> None:
    """Refuse to change a learning rate that the schedule overwrites: all values would train the same model.

    Parameters
    ----------
    changed
        Keys that variants change.
    recipe
        The resolved configuration's ``training``.
    where
        Data set and model, for messages.

    Raises
    ------
    UserError
        See above.
    """
    named = "training.optimizer.lr" in changed or ("training.optimizer" in changed and "lr" in recipe["optimizer"])
    if named and (recipe.get("schedule") or {}).get("_target_") == OWN_RATE:
        raise UserError(
            f"{where}: training.optimizer.lr changes nothing under OneCycleLR, which sets the rate itself; leave lr "
            "out and change training.schedule.max_lr, or set training.schedule to null"
        )


def _loss(named: Mapping[str, Any] | None, own: Mapping[str, Any] | None, kind: str, where: str) -> dict[str, Any]:
    """Return the named loss, or the kind's own with what is said of it."""
    if not named or "_target_" not in named:
        return {**(own or {}), **(named or {})}
    if own is None or named["_target_"] != own["_target_"]:
        kinds = getattr(trusted_object(str(named["_target_"])), "kinds", ())
        if kind not in kinds:
            raise UserError(
                f"{where}: training.loss: found {named['_target_']}, which is for {' or '.join(kinds) or 'no'} labels, "
                f"expected a loss for {kind} labels; leave it out for {own['_target_'] if own else 'another one'}"
            )
    return dict(named)


def _monitor(named: Any, kind: str, objective: Mapping[str, Any] | None, where: str) -> str:
    if named == HEADLINE:
        return PREFIX + (SCORES[kind].headline if kind in SCORES else LOSS)
    names: Iterable[str] = SCORES[kind].scores if kind in SCORES else ()
    if objective and named != PREFIX + LOSS:
        names = getattr(trusted_object(str(objective["_target_"])), "scores", ())
    known = [PREFIX + name for name in (LOSS, *names)]
    if named not in known:
        what = "a training without labels" if kind == UNLABELLED else f"{kind} labels"
        raise UserError(
            f"{where}: training.early_stopping.monitor: found {named}, expected {HEADLINE} or one of "
            f"{', '.join(known)} for {what}"
        )
    return str(named)


def check_supported(kind: str, supported: Sequence[str], dataset: str, model: str, others: Iterable[str]) -> None:
    """Refuse a model that has no output for a data set's labels.

    Parameters
    ----------
    kind
        Of the labels.
    supported
        What the model supports.
    dataset, model
        Names.
    others
        Models that support the kind; looked up only where they are needed.

    Raises
    ------
    UserError
        See above.
    """
    if kind in supported or list(supported) == [UNLABELLED]:
        return
    known = sorted(others)
    remedy = f"choose one of {', '.join(known)}" if known else "add a model that says so under labels"
    raise UserError(
        f"dataset {dataset}: has {kind} labels, and model {model} is for {' or '.join(supported)} ones; {remedy}"
    )
