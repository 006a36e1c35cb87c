"""Whether a training's recipe can be followed: its settings, loss, optimiser and schedule."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from lociflow.command import UserError
from lociflow.data.augmentation import check_augmentation
from lociflow.genome.label_kinds import label_kind
from lociflow.instantiate import instantiate
from lociflow.models.outputs import Outputs
from lociflow.preflight.outputs import guessed
from lociflow.sequence.alphabet import Alphabet
from lociflow.training.checks import check_recipe
from lociflow.training.labels import even_statistics
from lociflow.training.losses import make_loss
from lociflow.training.optimizers import make_optimizer, make_schedule
from lociflow.training.prior_correction import stated_logarithms
from lociflow.training.transfer import freeze

# Of a schedule that is tried.
STEPS = 10
# Which device will train is not known here.
SOME_DEVICE = torch.device("meta")


def check_settings(
    recipe: Mapping[str, Any], model: Mapping[str, Any], config: Mapping[str, Any], outputs: Outputs, alphabet: Alphabet
) -> None:
    """Refuse settings that do not suit the labels, the model or the data set.

    Parameters
    ----------
    recipe, model
        The resolved configuration's ``training`` and ``model``.
    config
        The data set.
    outputs, alphabet
        Of the training.

    Raises
    ------
    UserError
        See above.
    """
    kind = None if recipe.get("objective") else label_kind(outputs.kind)
    check_recipe(recipe, kind, SOME_DEVICE)
    if recipe.get("augmentation"):
        length, channels = model["input_length"], len(alphabet.channels)
        augmentation = instantiate(recipe["augmentation"])
        check_augmentation(augmentation, kind, model["views"], length, channels, recipe["max_epochs"])
    if recipe.get("prevalence"):
        if not guessed(outputs):
            stated_logarithms(recipe["prevalence"], outputs)
        _check_negatives(config)


def try_recipe(recipe: Mapping[str, Any], outputs: Outputs, model: nn.Module, frozen: Sequence[str]) -> None:
    """Build what a recipe trains a model with: loss, optimiser and schedule.

    Parameters
    ----------
    recipe
        The resolved configuration's ``training``.
    outputs
        Of the training; its labels are taken to be as many of each kind.
    model
        Which of its weights require a gradient is changed.
    frozen
        Sub-modules that are not trained.

    Raises
    ------
    UserError
        A name or an argument does not exist, or nothing is left to train.
    """
    if not (recipe.get("objective") or guessed(outputs)):
        make_loss(recipe, even_statistics(outputs))
    model.requires_grad_(True)
    freeze(model, frozen)
    optimizer = make_optimizer(recipe, model)
    if recipe.get("schedule"):
        make_schedule(recipe["schedule"], optimizer, STEPS)


def _check_negatives(config: Mapping[str, Any]) -> None:
    """Refuse to state a prevalence where negatives are not those of a genome.

    Bins that are matched to the positives, lie beside them or are made of them are no sample of what is to be scanned.
    """
    makers = [str(one["_target_"]).rpartition(".")[2] for one in config["windows"].get("negatives") or []]
    centred = str(config["windows"]["_target_"]).endswith("peak_centred_bins")
    if (centred and not makers) or set(makers) - {"background"}:
        found = " and ".join(makers) or "the peaks of other targets"
        raise UserError(
            f"training.prevalence: found negatives that are {found}, expected bins drawn anywhere (background) or all "
            "bins of the genome, as only of these a share of positives can be stated; set it to null"
        )
