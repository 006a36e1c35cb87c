"""A search over a declared grid: which of its trials validation prefers."""

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lociflow.command import UserError, atomic, status
from lociflow.training.score_names import HEADLINE, LOSS, PREFIX, larger_is_better

FACTS = ("parameters", "epochs", "seconds")
# Of a recipe, what validation_loss is made of, as a loss may weigh labels by how many an epoch has; and what decides
# of which labels any validation score speaks.
LOSSES, LABELS = ("loss", "objective", "balance", "label_fraction"), ("targets", "label_permutation")


def choose_trial(
    trials: Mapping[str, Mapping[str, Any]], checkpoint: Path, config_copy: Path, history: Path, table: Path
) -> None:
    """Copy the trial with the best validation score and write down all of them.

    Only the validation bins decide: no trial has seen the test bins, and none but the chosen one will. The score of the
    chosen one on validation is the best of several and so too good; what it is worth the test bins say.

    Parameters
    ----------
    trials
        Key to value of what each trial sets, by the folder of its ``model.ckpt``, ``config.json``, ``history.csv``. The
        earlier of two equal ones is taken.
    checkpoint, config_copy, history
        Outputs: copies of the best trial's files.
    table
        Output: a line a trial, the best first: rank, settings, the monitored score of the kept weights, parameters,
        epochs, seconds.

    Raises
    ------
    UserError
        The trials watch no score, or cannot be compared, see :func:`common_monitor`.
    """
    configs = {folder: _read_config(Path(folder)) for folder in trials}
    monitor = common_monitor([config["training"] for config in configs.values()])
    rows = [_row(Path(folder), configs[folder], monitor, settings) for folder, settings in trials.items()]
    sign = 1 if larger_is_better(monitor) else -1
    ordered = sorted(rows, key=lambda row: -sign * row["score"])
    best = Path(ordered[0]["folder"])
    _write(table, monitor, ordered)
    for name, path in (("config.json", config_copy), ("history.csv", history), ("model.ckpt", checkpoint)):
        with atomic(path) as temporary:
            shutil.copyfile(best / name, temporary)
    told = ", ".join(f"{key}={value}" for key, value in ordered[0]["settings"].items())
    status(f"best of {len(rows)} trials: {told}, {monitor} {ordered[0]['score']:.4f}")


def common_monitor(recipes: Sequence[Mapping[str, Any]]) -> str:
    """Return the score by which trials are compared, after making sure that it means the same in all of them.

    A loss with other weights, or of another form, is another scale: the smaller of two losses is then not the better
    model. A headline score knows nothing of the loss that a model was trained with.

    Parameters
    ----------
    recipes
        The resolved ``training`` of each trial.

    Raises
    ------
    UserError
        The trials watch different scores, one that is their loss while the loss differs, or other labels.
    """
    watched = [(recipe.get("early_stopping") or {}).get("monitor") for recipe in recipes]
    if not any(watched):
        raise UserError(
            "search: found trials with no validation score to be chosen by, expected one for each epoch; give the "
            "searched model training.early_stopping"
        )
    monitors = sorted(set(map(str, watched)))
    if len(monitors) != 1:
        raise UserError(
            f"search: its trials watch {', '.join(monitors)}, expected one score; set "
            "training.early_stopping.monitor for all of them"
        )
    monitor = monitors[0]
    if other := _differing(recipes, LABELS):
        raise UserError(
            f"search: found trials that differ in training.{other}, expected the same labels in all of them, as scores "
            "on other labels cannot be compared; take it out of the grid"
        )
    if monitor == PREFIX + LOSS and (other := _differing(recipes, LOSSES)):
        raise UserError(
            f"search: found trials that differ in training.{other} and are to be compared by {monitor}, expected a "
            f"score that does not depend on the loss; set training.early_stopping.monitor to {HEADLINE}, or to another "
            f"score where that is the loss itself, or take training.{other} out of the grid"
        )
    return monitor


def _differing(recipes: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> str | None:
    """Return the first of some keys whose values are not the same in all recipes."""
    return next((key for key in keys if any(recipe.get(key) != recipes[0].get(key) for recipe in recipes)), None)


def _read_config(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return found


def _row(folder: Path, config: Mapping[str, Any], monitor: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    with (folder / "history.csv").open(encoding="utf-8", newline="") as handle:
        epochs = list(csv.DictReader(handle))
    if not epochs or monitor not in epochs[0]:
        raise UserError(
            f"{folder}: has no validation score to be chosen by, expected one for each epoch; give the searched model "
            "at least one epoch"
        )
    kept = next(epoch for epoch in epochs if int(epoch["epoch"]) == config["kept_epoch"])
    return {
        "folder": str(folder),
        "settings": settings,
        "monitor": monitor,
        "score": float(kept[monitor]),
        "parameters": config["parameters"],
        "epochs": len(epochs),
        "seconds": round(sum(float(epoch["seconds"]) for epoch in epochs), 1),
    }


def _write(path: Path, monitor: str, rows: list[dict[str, Any]]) -> None:
    keys = list(rows[0]["settings"])
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(["rank", *keys, monitor, *FACTS])
        for rank, row in enumerate(rows, start=1):
            values = [json.dumps(row["settings"][key]) for key in keys]
            writer.writerow([rank, *values, f"{row['score']:.6f}", *(row[fact] for fact in FACTS)])
