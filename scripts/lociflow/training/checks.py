"""What a recipe or a model cannot be asked for, told before anything is computed."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from lociflow.command import UserError
from lociflow.data.one_hot import reverse_complement_one_hot
from lociflow.genome.label_kinds import LabelKind

COUNTS = ("batch_size", "evaluation_batch_size", "torch_threads")
# Of the differences between two sequences, what those between two strands may come to by rounding.
ROUNDING = 1e-3
# Sequences of which a model is asked.
ASKED = 16
# Why a model must tell strands apart, and what else can be done.
WINDOWS_HAVE_A_STRAND = (
    "the windows of this data set have a strand; choose another model, or set windows.stranded to false"
)
TARGETS_HAVE_A_STRAND = "targets of this data set are the two strands of a track; choose another model"


def check_recipe(recipe: Mapping[str, Any], kind: LabelKind | None, device: torch.device) -> None:
    """Refuse a recipe that asks for what does not exist, or does not fit the kind of the labels.

    Parameters
    ----------
    recipe
        The configuration's ``training``.
    kind
        Of the labels; None for a training without labels.
    device
        That trains.

    Raises
    ------
    UserError
        The sentence names the key.
    """
    if recipe["jitter"] and kind is not None and kind.positional:
        raise UserError(
            f"training.jitter: found {recipe['jitter']}, expected 0: {kind.name} labels belong to the bases of the "
            "bin, which a moved window would leave"
        )
    if recipe.get("correct_prior") and (kind is None or kind.name not in ("binary", "class")):
        labels = "no labels" if kind is None else f"{kind.name} labels"
        raise UserError(
            f"training.correct_prior: found true, expected false for {labels}: it corrects probabilities of bins"
        )
    if recipe.get("temperature") and (kind is None or kind.name not in ("binary", "class")):
        labels = "no labels" if kind is None else f"{kind.name} labels"
        raise UserError(f"training.temperature: found true, expected false for {labels}: it scales logits of bins")
    if recipe.get("temperature") and recipe.get("correct_prior"):
        raise UserError(
            "training.temperature: found true, expected false beside training.correct_prior, which fits slope and "
            "intercept of the logits; set one of the two to false"
        )
    if recipe.get("prevalence") and not recipe.get("correct_prior"):
        raise UserError(
            f"training.prevalence: found {recipe['prevalence']}, expected null where training.correct_prior is false; "
            "set training.correct_prior to true"
        )
    if recipe.get("precision") == "16-mixed" and device.type == "cpu":
        raise UserError(
            "training.precision: found 16-mixed, expected 32 or bf16-mixed on a CPU; use a GPU or one of these"
        )
    for key, least in (*(("jitter", 0), ("max_epochs", 0)), *((key, 1) for key in COUNTS)):
        if not isinstance(recipe[key], int) or recipe[key] < least:
            raise UserError(f"training.{key}: found {recipe[key]!r}, expected a whole number of at least {least}")


def why_strands(stranded: bool, order: Sequence[int] | None) -> str | None:
    """Tell why a model must tell strands apart, None where it need not.

    Parameters
    ----------
    stranded
        Whether the windows have a strand.
    order
        The order of the targets on the other strand; None: the same.
    """
    if stranded:
        return WINDOWS_HAVE_A_STRAND
    return TARGETS_HAVE_A_STRAND if order is not None and list(order) != sorted(order) else None


def check_strands(
    model: nn.Module, name: str, views: Sequence[str], input_length: int, channels: int, why: str
) -> None:
    """Refuse, for labels that have a strand, a model that cannot tell a sequence from its reverse complement.

    The model is asked: some sequences, drawn once and for all, and their reverse complements. What gives the same
    numbers for everything tells nothing, and models of other inputs than the sequence of DNA are not asked.

    Parameters
    ----------
    model
        With fresh weights, on the CPU; its outputs are ``(batch, columns)``.
    name
        Of the model.
    views, input_length, channels
        Its inputs, the bases of its window and the letters of its sequences.
    why
        As :func:`why_strands` tells.

    Raises
    ------
    UserError
        It says the same of both strands.
    """
    bases = 4
    if list(views) != ["sequence"] or channels != bases:
        return
    codes = torch.randint(bases, (ASKED, input_length), generator=torch.Generator().manual_seed(0))
    sequence = nn.functional.one_hot(codes, bases).float().transpose(1, 2).contiguous()
    # In training, normalisation is by the batch: filters that begin as rare detectors would else not answer at all.
    asked = copy.deepcopy(model).train()
    for module in asked.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        both = asked({"sequence": torch.cat([sequence, reverse_complement_one_hot(sequence)])})
    one, other = both.chunk(2)
    between_sequences, between_strands = (one - one[0]).abs().max(), (one - other).abs().max()
    if between_sequences > 0 and between_strands <= ROUNDING * between_sequences:
        raise UserError(
            f"model {name}: says the same of a sequence and of its reverse complement, expected a model that tells "
            f"strands apart, as {why}"
        )
