"""A trained model as one program from its inputs to its predictions, for machines that do not have lociflow."""

import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from lociflow.command import UserError
from lociflow.data.dataset import from_other_strand, views_from_other_strand
from lociflow.evaluation.answers import answer_function
from lociflow.evaluation.predict import averages_strands
from lociflow.models.checkpoint import CALIBRATION, LoadedModel
from lociflow.models.outputs import UNLABELLED

# Names of what a program gives back, by the kind of labels: first predictions as the table of predictions has them,
# then the model's raw outputs.
OUTPUT_NAMES: Mapping[str, tuple[str, ...]] = {
    "binary": ("probabilities", "logits"),
    "class": ("probabilities", "logits"),
    "real": ("values", "raw_values"),
    "position_class": ("probabilities", "logits"),
    "profile": ("profiles", "log_counts", "profile_logits", "raw_log_counts"),
}
# Windows that a program is recorded with: one alone would be taken for a fixed size.
RECORDED = 3


class Predictor(nn.Module):
    """A trained model from its views to its predictions and its raw outputs.

    Predictions are those of :func:`lociflow.evaluation.predict.predict_bins`: corrected where the training says so, and
    averaged over both strands where predictions are. Raw outputs are those of the window as it is given.

    Parameters
    ----------
    loaded
        The model with its configuration.
    order
        The order of the data set's targets on the other strand; None: the same.
    """

    def __init__(self, loaded: LoadedModel, order: Sequence[int] | None = None) -> None:
        super().__init__()
        self.model = loaded.model
        self.views: tuple[str, ...] = tuple(loaded.config["model"]["views"])
        self.names = OUTPUT_NAMES[loaded.outputs.kind]
        self._answer = answer_function(loaded.outputs, loaded.config["training"], loaded.provenance.get(CALIBRATION))
        self._average = averages_strands(loaded)
        self._tracks = order
        # The order of the model's own targets, which may be some of the data set's.
        self._columns = loaded.outputs.other_strand(loaded.provenance.get("other_strand", order))

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Map the views, in the order of ``views``, to the tensors of ``names``.

        Parameters
        ----------
        inputs
            ``sequence``: one-hot ``float32``, ``(batch, channels, length)``; ``mask``: ``bool``, ``(batch, length)``;
            ``control``: ``float32``, ``(batch, tracks)`` or ``(batch, positions, tracks)``.
        """
        views = dict(zip(self.views, inputs, strict=True))
        raw = self.model(views)
        answers = self._answer(raw)
        if self._average:
            others = self._answer(self.model(views_from_other_strand(views, self._tracks)))
            answers = tuple(
                (one + from_other_strand(other, self._columns)) / 2 for one, other in zip(answers, others, strict=True)
            )
        return (*answers, *((raw,) if isinstance(raw, Tensor) else raw))


def predictor(loaded: LoadedModel, order: Sequence[int] | None = None) -> Predictor:
    """Return a trained model as a module from its views to its predictions, in evaluation mode, on the CPU.

    Parameters
    ----------
    loaded, order
        As for :class:`Predictor`.

    Raises
    ------
    UserError
        The model was trained without labels.
    """
    if loaded.outputs.kind == UNLABELLED:
        name = loaded.config["model"].get("name", "model")
        raise UserError(
            f"{name}: was trained without labels, expected a model with outputs; export one that starts from its "
            "weights"
        )
    return Predictor(loaded, order).eval()


def record(model: Predictor, inputs: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    """Record what a predictor computes, for any number of windows.

    Parameters
    ----------
    model
        The predictor.
    inputs
        Its views, of at least ``RECORDED`` windows.
    """
    batch = torch.export.Dim("batch")
    # The views are one argument to torch: the rest of *inputs.
    shapes = (tuple({0: batch} for _ in inputs),)
    with torch.no_grad():
        return torch.export.export(model, tuple(view[:RECORDED] for view in inputs), dynamic_shapes=shapes)


def check_onnx() -> None:
    """Refuse to begin what needs packages that are not there.

    Raises
    ------
    UserError
        One of them is missing.
    """
    if missing := [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]:
        raise UserError(
            f"export.formats: found onnx, but {', '.join(missing)} is not installed, expected all of onnx, onnxscript "
            "and onnxruntime; run `make setup` or --sdm conda, or leave onnx out of export.formats"
        )


def write_onnx(program: torch.export.ExportedProgram, model: Predictor, path: Path) -> None:
    """Write a program as ONNX, its inputs and outputs named as ``views`` and ``names``."""
    # It warns of operators of torchvision, which no model here has.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    found = torch.onnx.export(
        program, (), input_names=list(model.views), output_names=list(model.names), dynamo=True, verbose=False
    )
    if found is None:
        raise RuntimeError("torch.onnx.export returned no program")
    found.save(path)


def run_onnx(path: Path, threads: int) -> Callable[..., tuple[Tensor, ...]]:
    """Return an ONNX file as a function from views to outputs, as onnxruntime computes it on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [found.name for found in session.get_inputs()]

    def call(*inputs: Tensor) -> tuple[Tensor, ...]:
        given = {name: view.numpy() for name, view in zip(names, inputs, strict=True)}
        return tuple(torch.from_numpy(found) for found in session.run(None, given))

    return call
