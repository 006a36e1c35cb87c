"""Outputs that an interpretation names, held against what the configuration of a data set says of its targets."""

from collections.abc import Mapping
from typing import Any

from lociflow.command import UserError
from lociflow.config import Configuration, did_you_mean, label_kind_of
from lociflow.interpretation.scalar_names import check_contrasts, scalar_names
from lociflow.layout import split_label
from lociflow.models.outputs import Outputs
from lociflow.run import explained_models
from lociflow.trainings import resolve, target_names


def planned_outputs(dataset: str, configuration: Configuration) -> Outputs | None:
    """Return what a data set asks of its models, None where only its files tell."""
    config, names = configuration.dataset(dataset), target_names(dataset, configuration)
    kind, labels = label_kind_of(config), config.get("labels") or {}
    if not names:
        return None
    if kind not in ("class", "position_class"):
        return Outputs(kind, names)
    if "columns" not in config["targets"]:
        # Regions make one target, of which their names are the classes.
        return Outputs(kind, ("class",), ((str(labels.get("background", "background")), *names),))
    listed = labels.get("classes")
    by_column = [listed.get(name) if isinstance(listed, Mapping) else listed for name in names]
    if not all(by_column):
        return None
    return Outputs(kind, names, tuple(tuple(map(str, classes)) for classes in by_column if classes))


def check_explained_outputs(run: Mapping[str, Any], configuration: Configuration) -> None:
    """Check the outputs that are named to be explained, before anything is trained.

    So is the target whose track attention is held against. Data sets whose configuration does not name their targets
    and classes are passed over: the step that explains checks them.

    Raises
    ------
    UserError
        An output to explain, or one of a contrast, does not exist, or an explained model does not learn it; the target
        of the track does not exist, or it is a signal and the data set has no genome.
    """
    explained = explained_models(run, configuration)
    for dataset in run["datasets"] if explained else []:
        where = f"interpretation {run['interpretation']} of dataset {dataset}"
        interpretation = configuration.interpretation(dataset, run["interpretation"])
        track = interpretation.get("attention_track")
        if isinstance(track, dict) and "genome" not in configuration.dataset(dataset):
            raise UserError(
                f"{where}: attention_track: found a signal for sequences without a genome, expected a target; name "
                "one, or set it to null"
            )
        outputs = planned_outputs(dataset, configuration)
        if outputs is None:
            continue
        if isinstance(track, str) and track not in outputs.columns:
            raise UserError(
                f"{where}: attention_track: found {track}, expected one of {', '.join(outputs.columns)}"
                f"{did_you_mean(track, outputs.columns)}"
            )
        asked = interpretation["attribution"]
        _check_names(asked, outputs, where, "of the data set")
        # What cannot be trained on this data set is refused elsewhere, and not where it is only audited.
        for label in (label for label in explained if configuration.supports(dataset, split_label(label)[0])):
            learnt = resolve(run, configuration, dataset, label)["training"]["training"].get("targets")
            if learnt is not None:
                numbers = [number for number, name in enumerate(outputs.targets) if name in learnt]
                _check_names(asked, outputs.only(numbers), f"{where}, model {label}", "that the model learns")


def _check_names(asked: Mapping[str, Any], outputs: Outputs, where: str, whose: str) -> None:
    names = scalar_names(outputs)
    try:
        check_contrasts(asked.get("contrasts") or {}, names)
    except UserError as error:
        raise UserError(f"{where}: attribution.{error}") from None
    wanted = asked.get("targets")
    if wanted is None or isinstance(wanted, int) or wanted == "all":
        return
    known = dict.fromkeys((*outputs.targets, *names))
    for name in [wanted] if isinstance(wanted, str) else wanted:
        if name not in known:
            raise UserError(
                f"{where}: attribution.targets: found {name}, expected targets or outputs {whose}"
                f"{did_you_mean(name, known)}"
            )
