"""The step that takes a trained model out of lociflow: a folder with which others can use it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lociflow.command import UserError, atomic_folder, status, write_json
from lociflow.data.bins import read_bins
from lociflow.data.one_hot import OneHot
from lociflow.data.targets import open_control
from lociflow.data.views import make_views
from lociflow.evaluation.answers import column_arrays
from lociflow.evaluation.predict import as_labelled, check_alphabet
from lociflow.evaluation.predictions import check_split, read_predictions
from lociflow.export.card import CardFacts, write_card, write_example
from lociflow.export.check import TOLERANCE, Different, check, largest_difference, with_unknown
from lociflow.export.description import describe
from lociflow.export.program import Predictor, check_onnx, predictor, record, run_onnx, write_onnx
from lociflow.export.versions import versions
from lociflow.formats import stamp
from lociflow.genome.window_table import about_windows, read_windows, split_digest
from lociflow.models.checkpoint import LoadedModel, load_model
from lociflow.sequence.alphabet import decode
from lociflow.sequence.store import open_store

FORMATS = ("pt2", "onnx")
# Real windows on which files are held against the model, and of these the ones that the example predicts.
CHECKED, SHOWN = 16, 3
# Predictions may have been made on a GPU, whose convolutions round more; what differs more is another model's.
SAME_MODEL = 0.01


def export(
    store: Path,
    windows: Path,
    control: Path,
    checkpoint: Path,
    predictions: Path,
    metrics: Path,
    audit: Path,
    baselines: Sequence[str],
    sources: Sequence[Path],
    about: Mapping[str, Any],
    formats: Sequence[str],
    folder: Path,
) -> None:
    """Write a trained model with all that its use elsewhere needs.

    Parameters
    ----------
    store, windows, control
        ``store.json``, ``windows.parquet`` and ``control.npy`` of the data set.
    checkpoint, predictions, metrics
        Of the model.
    audit
        ``audit.json`` of the data set.
    baselines
        ``NAME=metrics.json`` of each baseline on the same bins.
    sources
        Records of the data set's source files.
    about
        What configurations say of model and data set; see :class:`lociflow.export.card.CardFacts`.
    formats
        Of :data:`FORMATS`: ``pt2``, a program for PyTorch alone; ``onnx``.
    folder
        To write: ``weights.pt``, ``model.json``, ``README.md``, ``example.json``, and where the architecture can be
        exported and the file computes what the model does, ``model.pt2``, ``model.onnx`` and ``example.py``. What lies
        there is replaced as a whole, once all is written.

    Raises
    ------
    UserError
        The model was trained without labels, or an input belongs to another model or data set.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise UserError(f"export.formats: found {unknown[0]}, expected some of {', '.join(FORMATS)}")
    if "onnx" in formats:
        check_onnx()
    loaded = load_model(checkpoint)
    order = about_windows(windows)["labels"]["reverse"]
    model = predictor(loaded, order)
    torch.set_num_threads(loaded.config["training"]["torch_threads"])
    check_split(predictions, split_digest(windows, loaded.config["dataset"]["split"]))
    table = read_predictions(predictions)
    chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, CHECKED).astype(int))] if len(table) else table
    if not len(chosen):
        raise UserError(f"{predictions}: has no bin, expected some; run the step that makes the predictions again")
    views, written, reverse = real_windows(loaded, store, windows, control, checkpoint, order, chosen["bin"].to_numpy())
    with torch.no_grad():
        outputs = model(*views)
    columns = loaded.outputs.other_strand(loaded.provenance.get("other_strand", order))
    answers = as_labelled(tuple(outputs[: len(outputs) // 2]), reverse, columns)
    agreed = compare_with_predictions(column_arrays(loaded.outputs, answers), chosen, predictions)
    with atomic_folder(folder) as made:
        torch.save(
            {name: tensor.detach().clone() for name, tensor in loaded.model.state_dict().items()}, made / "weights.pt"
        )
        tried = write_formats(model, views, formats, made)
        shapes = {
            name: (list(tensor.shape[1:]), str(tensor.dtype).removeprefix("torch."))
            for name, tensor in zip((*model.views, *model.names), (*views, *outputs), strict=True)
        }
        described = {
            **stamp("exported model"),
            "name": about["name"],
            "dataset": loaded.config["dataset"],
            "seed": loaded.config["seed"],
            **describe(loaded, shapes),
            "bin_length": bin_length(windows),
            "files": tried,
            "predictions_differ_by": agreed,
            "architecture": loaded.config["model"],
            "parameters": sum(one.numel() for one in loaded.model.parameters()),
            "trained_with": {
                key: value for key, value in loaded.provenance.items() if key not in ("contigs", "calibration")
            },
            "versions": versions(),
        }
        write_json(made / "model.json", described)
        write_json(made / "example.json", examples(loaded, views, outputs, written))
        facts = CardFacts(
            about, described, read(metrics), read(audit), named(baselines), [read(path) for path in sources]
        )
        write_card(made / "README.md", facts)
        write_example(made, described)
    status(f"exported to {folder}: {'; '.join(told(name, found) for name, found in tried.items())}")


def real_windows(
    loaded: LoadedModel,
    store: Path,
    windows: Path,
    control: Path,
    checkpoint: Path,
    order: Sequence[int] | None,
    index: np.ndarray,
) -> tuple[tuple[Tensor, ...], list[dict[str, str]], np.ndarray]:
    """Read some bins as the model sees them.

    Returns
    -------
    views : tuple of torch.Tensor
        In the order of the model's views, the sequence one-hot.
    written : list of dict
        Of each bin its ``name``, ``contig:start-end(strand)``, and the ``sequence`` of its window in letters.
    reverse : numpy.ndarray
        Whether each bin is read from the reverse strand, ``bool``.
    """
    sequences = open_store(store)
    check_alphabet(loaded, sequences, checkpoint)
    split = loaded.config["dataset"]["split"]
    bins, model = read_bins(windows, sequences, split), loaded.config["model"]
    signal = open_control(control, len(bins))
    made = make_views(model["views"], sequences, bins, model["input_length"], signal, order)
    found = {name: torch.from_numpy(np.array(view(index, bins.reverse[index]))) for name, view in made.items()}
    frame = read_windows(windows).iloc[index]
    written = [
        {
            "name": f"{row.contig}:{row.start}-{row.end}({row.strand})",
            "sequence": decode(codes.numpy(), loaded.alphabet).upper(),
        }
        for row, codes in zip(frame.itertuples(), found["sequence"], strict=True)
    ]
    expanded = OneHot(loaded.alphabet)(found)
    return tuple(expanded[name] for name in model["views"]), written, bins.reverse[index]


def bin_length(windows: Path) -> int | None:
    """Return how many bases or residues every bin of a data set has, None where bins differ."""
    table = read_windows(windows)
    lengths = (table["end"] - table["start"]).unique()
    return int(lengths[0]) if len(lengths) == 1 else None


def compare_with_predictions(found: Mapping[str, np.ndarray], chosen: pd.DataFrame, path: Path) -> float:
    """Return by how much a model's predictions, by column, differ from those of the table.

    Raises
    ------
    UserError
        By too much to be of the same model.
    """
    columns = [torch.from_numpy(np.stack(chosen[name].to_list())) for name in found]
    differs = largest_difference([torch.from_numpy(array) for array in found.values()], columns)
    if differs > SAME_MODEL:
        raise UserError(
            f"{path}: found numbers that differ by up to {differs:.2g} from what the checkpoint says, expected its own "
            "predictions; run the step that makes them again"
        )
    return differs


def write_formats(
    model: Predictor, views: tuple[Tensor, ...], formats: Sequence[str], folder: Path
) -> dict[str, dict[str, Any]]:
    """Write a model in some formats and hold each file against the model, also on unknown letters.

    Returns
    -------
    dict
        By format ``file`` with ``largest_difference`` and ``tolerance``, or ``reason``: why there is none.
    """
    order = list(model.views).index("sequence")
    sequences = with_unknown(views[order])
    repeats = len(sequences) // len(views[order])
    inputs = tuple(
        sequences if number == order else view.repeat(repeats, *[1] * (view.ndim - 1))
        for number, view in enumerate(views)
    )
    with torch.no_grad():
        expected = model(*inputs)
    found: dict[str, dict[str, Any]] = {}
    call: Callable[..., Any]
    try:
        program = record(model, inputs)
    except Exception as error:  # torch raises whatever it met: the reason goes into the card
        reason = f"torch.export cannot record this architecture ({first_line(error)})"
        return {name: {"file": None, "reason": reason} for name in formats}
    for name in formats:
        path = folder / f"model.{name}"
        try:
            if name == "pt2":
                torch.export.save(program, path)
                call = torch.export.load(path).module()
            else:
                write_onnx(program, model, path)
                call = run_onnx(path, torch.get_num_threads())
            differs = check(call, inputs, expected, TOLERANCE)
        except Different as error:
            found[name] = {"file": None, "reason": f"the file was made but not kept: {error}"}
        except Exception as error:  # as above
            found[name] = {"file": None, "reason": f"the exporter failed ({first_line(error)})"}
        else:
            found[name] = {"file": path.name, "largest_difference": differs, "tolerance": TOLERANCE}
        if not found[name]["file"]:
            path.unlink(missing_ok=True)
    return found


def examples(
    loaded: LoadedModel, views: Sequence[Tensor], outputs: Sequence[Tensor], written: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return the first windows with their other views and their predictions by column, as JSON values."""
    names = loaded.config["model"]["views"]
    more = {name: view for name, view in zip(names, views, strict=True) if name != "sequence"}
    answers = column_arrays(loaded.outputs, tuple(outputs[: len(outputs) // 2]))
    return [
        {
            **written[row],
            **{name: view[row].tolist() for name, view in more.items()},
            "predictions": {name: array[row].tolist() for name, array in answers.items()},
        }
        for row in range(min(SHOWN, len(written)))
    ]


def first_line(error: Exception) -> str:
    """Return the first line of an error with its type, shortened."""
    text = " ".join(str(error).split("\n", 1)[0].split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def told(name: str, found: Mapping[str, Any]) -> str:
    """Say of a format whether its file stays."""
    return f"{found['file']}, checked" if found["file"] else f"no {name}, {found['reason']}"


def read(path: Path) -> dict[str, Any]:
    """Read a JSON object that another step wrote."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def named(pairs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``NAME=FILE``."""
    return {name: read(Path(path)) for name, _, path in (pair.partition("=") for pair in pairs)}
