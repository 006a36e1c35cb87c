"""The checkpoint: a model's weights with what is needed to rebuild and to judge it."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lociflow.command import UserError, atomic
from lociflow.formats import check_format, stamp
from lociflow.instantiate import instantiate
from lociflow.machine_refusals import is_refusal
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import DNA, Alphabet, find_alphabet

KIND = "checkpoint"
# Key in the provenance: slope and intercept of each target's logits, where probabilities are corrected.
CALIBRATION = "calibration"


class LoadedModel(NamedTuple):
    """What a checkpoint holds."""

    model: nn.Module
    """On the CPU, in evaluation mode."""
    config: dict[str, Any]
    """The resolved configuration of its training: ``dataset``, ``model``, ``training``, ``seed``."""
    outputs: Outputs
    """What the model was asked for."""
    provenance: dict[str, Any]
    """Digests of the data and of the weights, versions of the packages, the epoch that was kept."""
    alphabet: Alphabet = DNA
    """Of the sequences that it takes, by ``alphabet`` in its provenance."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets, in order."""
        return self.outputs.targets


def build_model(model: Mapping[str, Any], outputs: Outputs, channels: int = 4) -> nn.Module:
    """Build a model with fresh weights, drawn from torch's global generator.

    Parameters
    ----------
    model
        The configuration's ``model``: ``architecture`` with ``_target_`` and hyper-parameters, ``input_length``.
    outputs
        What it is asked for. An architecture is told the number of columns, and the labelled positions of a bin where
        labels have any, so that those for whole bins need not know of them.
    channels
        Of the one-hot sequence; an architecture is only told where it is not 4.

    Raises
    ------
    UserError
        The architecture is unknown, not trusted, or does not fit the input length or the outputs.
    """
    more: dict[str, Any] = {} if channels == 4 else {"channels": channels}
    if outputs.positions:
        more["positions"] = outputs.positions
    n_targets = len(outputs.columns)
    return instantiate(model["architecture"], input_length=model["input_length"], n_targets=n_targets, **more)


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a state's tensors: names, types, shapes and numbers, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def save_checkpoint(
    path: Path,
    state: Mapping[str, Tensor],
    config: Mapping[str, Any],
    outputs: Outputs,
    provenance: Mapping[str, Any],
) -> None:
    """Write a checkpoint, always with the same bytes for the same content.

    Parameters
    ----------
    path
        The file.
    state
        The model's ``state_dict``.
    config
        The resolved configuration of the training.
    outputs
        What the model was asked for.
    provenance
        Strings and numbers; the weights' digest is added.
    """
    content = {
        **stamp(KIND),
        "state_dict": {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()},
        "config": json.dumps(config, sort_keys=True),
        "targets": list(outputs.targets),
        "kind": outputs.kind,
        "classes": [list(names) for names in outputs.classes],
        "positions": outputs.positions,
        "provenance": json.dumps({**provenance, "weights": weights_digest(state)}, sort_keys=True),
    }
    # torch names the folder inside the archive after the file, which has a random name until it is complete.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def read_whole(path: Path) -> Any:
    """Read what :func:`torch.save` has written, without running code from it, and hold it to the archive's checksums.

    torch itself reads the tensors of an archive without a look at these.

    Raises
    ------
    Exception
        Almost any, where the file is damaged or another one.
    """
    with zipfile.ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{damaged} does not have the checksum that the archive says")
    return torch.load(path, map_location="cpu", weights_only=True)


def load_model(path: Path) -> LoadedModel:
    """Read a checkpoint and rebuild its model.

    Raises
    ------
    UserError
        The file is missing, damaged, of another format or version, or its weights do not fit its architecture.
    """
    try:
        content = read_whole(path)
    except pickle.UnpicklingError:
        # torch's own words would have the user load it all the same.
        raise UserError(
            f"{path}: cannot be read as a checkpoint (it is damaged, or holds more than weights, which reading could "
            "run); remove it and train again"
        ) from None
    except Exception as error:
        if is_refusal(error):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: cannot be read as a checkpoint ({reason}); remove it and train again") from None
    check_format(content if isinstance(content, dict) else {}, KIND, path)
    try:
        config, provenance = json.loads(content["config"]), json.loads(content["provenance"])
        found, expected = weights_digest(content["state_dict"]), provenance["weights"]
        asked = config["model"]
        outputs = Outputs(
            content.get("kind", "binary"),
            tuple(content["targets"]),
            tuple(tuple(names) for names in content.get("classes", ())),
            content.get("positions", 0),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: cannot be read as a checkpoint ({error!r}); remove it and train again") from None
    if found != expected:
        raise UserError(
            f"{path}: found weights with the digest {found[:12]}, expected {str(expected)[:12]} as they were saved; "
            "the file is damaged: remove it and train again"
        )
    alphabet = find_alphabet(provenance.get("alphabet", DNA.name))
    # Drawing weights that are overwritten at once must not shift the draws of whoever loads a model.
    with torch.random.fork_rng(devices=[]):
        model = build_model(asked, outputs, len(alphabet.channels))
    try:
        model.load_state_dict(content["state_dict"])
    except RuntimeError as error:
        raise UserError(
            f"{path}: its weights do not fit the present {config['model']['architecture']['_target_']} "
            f"({' '.join(str(error).split())[:200]}); train again"
        ) from None
    return LoadedModel(model.eval(), config, outputs, provenance, alphabet)
