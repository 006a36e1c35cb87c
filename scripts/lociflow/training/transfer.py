"""Transfer: begin a training from the weights of another one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from lociflow.command import UserError, status
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.models.heads import output_name
from lociflow.models.outputs import UNLABELLED, Outputs
from lociflow.sequence.alphabet import Alphabet

# What a checkpoint's provenance calls what the trainings before its own have read.
INHERITED = "inherited"
# Contigs that have been read: name by MD5 digest, or how many where they are more than a checkpoint tells.
Contigs = dict[str, str] | int
# Parameters that are named in a message.
SHOWN = 3


class Transfer(NamedTuple):
    """The keys of ``training.transfer`` beside those that name the origin."""

    skip: Sequence[str] = ("head",)
    """Sub-modules that begin from fresh weights."""
    freeze: Sequence[str] = ()
    """Sub-modules that keep the weights of the origin; their normalisation and dropout work as in prediction."""
    unlabelled_overlap: bool = False
    """Whether an origin that was trained without labels may have read the present test contigs."""


def read_transfer(settings: Mapping[str, Any]) -> Transfer:
    """Take what concerns the weights out of ``training.transfer``."""
    return Transfer(**{name: settings[name] for name in Transfer._fields if settings.get(name) is not None})


def start_from(
    model: nn.Module,
    checkpoint: Path,
    transfer: Transfer,
    alphabet: Alphabet,
    store_digest: str,
    test_contigs: Contigs,
    outputs: Outputs,
    split: str | None = None,
) -> LoadedModel:
    """Give a fresh model the weights of another training, all but those of its head.

    Parameters
    ----------
    model
        Its weights are overwritten in place; frozen sub-modules are taken out of training.
    checkpoint
        Of the training to begin from.
    transfer
        What is taken over and what is kept.
    alphabet
        Of the present sequences.
    store_digest
        Of the present sequence store.
    test_contigs
        On which the present test bins lie.
    outputs
        What the model is asked for.
    split
        Digest of where the present bins lie and on which side; None where it is not known.

    Returns
    -------
    LoadedModel
        The origin.

    Raises
    ------
    UserError
        The checkpoint cannot be read, reads another alphabet, has seen the present test contigs, answers for other
        labels with a head that is to be taken over, or its weights do not fit.
    """
    origin = load_model(checkpoint)
    check_alphabet(origin.alphabet, alphabet, checkpoint)
    check_overlap(origin, checkpoint, transfer, store_digest, test_contigs, split)
    copied = copy_weights(model, origin.model, checkpoint, transfer.skip)
    check_answers(model, transfer.skip, origin.outputs, outputs, checkpoint)
    frozen = freeze(model, transfer.freeze)
    status(
        f"beginning from {checkpoint}: {copied:,} numbers taken over, {frozen:,} of them frozen, "
        f"{', '.join(transfer.skip) or 'nothing'} fresh"
    )
    return origin


def check_alphabet(found: Alphabet, expected: Alphabet, where: Path | str) -> None:
    """Refuse an origin that reads sequences of other letters.

    Raises
    ------
    UserError
        See above.
    """
    if found.name != expected.name:
        raise UserError(
            f"{where}: reads {found.name}, expected {expected.name} as the data set has it; begin from a model of the "
            "same alphabet"
        )


def has_fresh_output(model: nn.Module, skip: Sequence[str]) -> bool:
    """Tell whether a model's last layer is not taken over from an origin."""
    return _inside(output_name(model), skip)


def check_answers(model: nn.Module, skip: Sequence[str], found: Outputs, expected: Outputs, where: Path | str) -> None:
    """Refuse an origin whose last layer is taken over and answers for other labels.

    Each column would become another target's without a word. A model that is trained without labels has none, and of a
    model without a part called ``head`` nobody knows which layer it is.

    Raises
    ------
    UserError
        See above.
    """
    if (
        not hasattr(model, "head")
        or expected.kind == UNLABELLED
        or (found.kind, found.columns) == (expected.kind, expected.columns)
    ):
        return
    if not has_fresh_output(model, skip):
        told, wanted = (
            f"{one.kind} labels of {_listed(one.columns)}" if one.columns else "no labels" for one in (found, expected)
        )
        raise UserError(
            f"{where}: its head answers for {told}, expected {wanted}; name head in training.transfer.skip, so that "
            "it begins from fresh weights"
        )


def check_overlap(
    origin: LoadedModel,
    checkpoint: Path,
    transfer: Transfer,
    store_digest: str,
    test_contigs: Contigs,
    split: str | None = None,
) -> None:
    """Refuse an origin that was fitted or chosen, or whose own origins were, on contigs of the present test bins.

    The same split of the same bins keeps its sides apart, whatever the contigs. Otherwise contigs tell, in whatever
    genome they are, and where these are too many to name (each sequence of a table is one) nothing does, so that an
    origin on the same sequences is refused. What it was trained on elsewhere (related genes) cannot be seen here.

    Raises
    ------
    UserError
        See above.
    """
    for reading in readings(origin):
        if not reading["labelled"] and transfer.unlabelled_overlap:
            continue
        same_store = reading["store_sha256"] == store_digest
        if split is not None and same_store and reading["split_digest"] == split:
            continue
        sides = list((reading["contigs"] or {}).values())
        seen = {digest for side in sides if not isinstance(side, int) for digest in side}
        tested = {} if isinstance(test_contigs, int) else test_contigs
        if shared := [name for digest, name in tested.items() if digest in seen]:
            remedy = "begin from a training with the same test contigs"
            if not reading["labelled"]:
                remedy += ", or set training.transfer.unlabelled_overlap, as it was trained without labels"
            raise UserError(
                f"{checkpoint}: was fitted on {_listed(shared)}, which the present split tests on; {remedy}"
            )
        uncounted = any(isinstance(side, int) for side in [*sides, test_contigs])
        if sides and uncounted and same_store and split is not None:
            raise UserError(
                f"{checkpoint}: was fitted on another split of these sequences, whose training bins may be tested "
                "here; begin from a training with the same split"
            )


def readings(origin: LoadedModel | None) -> list[dict[str, Any]]:
    """Return what the weights of a training have read before: on which sequences and contigs, with labels or without.

    All of it goes into the provenance of whatever begins from these weights, since what is allowed here may be a leak
    to a later split.

    Parameters
    ----------
    origin
        The training; None where there is none.

    Returns
    -------
    list of dict
        Of the training itself, then of those before it: ``labelled`` (bool), ``store_sha256``, ``split_digest`` and
        ``contigs`` (of each side, :data:`Contigs`).
    """
    if origin is None:
        return []
    known = origin.provenance
    own = {name: known.get(name) for name in ("store_sha256", "split_digest", "contigs")}
    return [{"labelled": origin.outputs.kind != UNLABELLED, **own}, *known.get(INHERITED, [])]


def copy_weights(model: nn.Module, origin: nn.Module, checkpoint: Path, skip: Sequence[str]) -> int:
    """Copy the origin's weights and buffers into a model, but for some sub-modules, and count the copied parameters.

    Raises
    ------
    UserError
        As :func:`matching_weights`.
    """
    found = matching_weights(model, origin, checkpoint, skip)
    model.load_state_dict(found, strict=False)
    return sum(parameter.numel() for name, parameter in model.named_parameters() if name in found)


def matching_weights(model: nn.Module, origin: nn.Module, where: Path | str, skip: Sequence[str]) -> dict[str, Tensor]:
    """Return the weights and buffers of an origin that a model takes over.

    Parameters
    ----------
    model, origin
        Neither is changed.
    where
        What the origin is called in a message.
    skip
        Sub-modules that begin from fresh weights.

    Raises
    ------
    UserError
        A sub-module does not exist, or what is to be taken over has other names or shapes.
    """
    check_modules(model, "skip", skip)
    wanted = {name: tensor for name, tensor in model.state_dict().items() if not _inside(name, skip)}
    found = {name: tensor for name, tensor in origin.state_dict().items() if not _inside(name, skip)}
    missing, needless = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or needless:
        told = "; ".join(
            f"{what} {_listed(names)}" for what, names in (("it lacks", missing), ("it also has", needless)) if names
        )
        raise UserError(
            f"{where}: its parts are not those of the present model ({told}); give both the same architecture but for "
            "the head, or name what differs in training.transfer.skip"
        )
    for name, tensor in wanted.items():
        if tensor.shape != found[name].shape:
            raise UserError(
                f"{where}: {name} has the shape {tuple(found[name].shape)}, expected {tuple(tensor.shape)}; give both "
                "the same hyper-parameters and window length, or name it in training.transfer.skip"
            )
    return found


def freeze(model: nn.Module, names: Sequence[str]) -> int:
    """Take sub-modules out of training and count their parameters.

    Raises
    ------
    UserError
        There is no such sub-module.
    """
    check_modules(model, "freeze", names)
    count = 0
    for name in names:
        for parameter in model.get_submodule(name).parameters():
            parameter.requires_grad_(False)
            count += parameter.numel()
    return count


def set_training_mode(model: nn.Module, frozen: Sequence[str]) -> None:
    """Put a model into training mode, its frozen sub-modules into that of prediction.

    Otherwise their batch normalisation would go on to follow the present data, and dropout to disturb what is fixed.
    """
    model.train()
    for name in frozen:
        model.get_submodule(name).eval()


def check_modules(model: nn.Module, key: str, names: Sequence[str]) -> None:
    """Refuse names that are no sub-modules of a model.

    Raises
    ------
    UserError
        Tells the sub-modules that there are.
    """
    known = [name for name, _ in model.named_modules() if name]
    for name in names:
        if name not in known:
            top = [name for name in known if name.count(".") < 2]
            raise UserError(f"training.transfer.{key}: the model has no part {name}, expected one of {', '.join(top)}")


def _inside(name: str, modules: Sequence[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
