import subprocess
import sys
from pathlib import Path

import numpy as np
import planted
import pytest
import torch
from planted import Planted, config
from torch import nn
from window_files import HOLDOUT, write_holdout

from lociflow.command import UserError
from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.dataset import WindowDataset
from lociflow.data.one_hot import OneHot
from lociflow.data.views import make_views
from lociflow.evaluation.predict import as_labelled, predict, predict_bins
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.placement import window_codes
from lociflow.genome.window_table import read_windows
from lociflow.models.checkpoint import LoadedModel, build_model, load_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import reverse_complement
from lociflow.sequence.store import open_store

AUTOENCODER = {"filters": [6], "kernels": [8], "pools": [4], "code": 5}
OUTPUTS = Outputs("binary", tuple(planted.MOTIFS))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return planted.make_planted(tmp_path_factory.mktemp("planted"))


def checkpoint(folder: Path, strand_specific: bool = False, averaging: bool = True) -> Path:
    settings = config(reverse_complement={"augmentation": True, "averaging": averaging})
    settings["model"]["strand_specific"] = strand_specific
    torch.manual_seed(1)
    model = build_model(settings["model"], OUTPUTS)
    save_checkpoint(folder / "model.ckpt", model.state_dict(), settings, OUTPUTS, {})
    return folder / "model.ckpt"


def probabilities(data: Planted, path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bins that are not for training, and the probabilities of their forward and reverse strand, one at a time."""
    store = open_store(data.store)
    bins = read_bins(data.windows, store, HOLDOUT)
    index = np.concatenate([bins_of_split(bins, "validation"), bins_of_split(bins, "test")])
    codes = window_codes(store, bins.place, index, planted.BIN)
    model, one_hot = load_model(path).model, OneHot()
    strands = []
    with torch.inference_mode():
        for strand in (codes, np.ascontiguousarray(reverse_complement(codes))):
            strands.append(model({"sequence": one_hot.expand(torch.from_numpy(strand))}).sigmoid().numpy())
    return index, strands[0], strands[1]


def test_both_strands_are_averaged(data: Planted, tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    predict(data.store, data.windows, data.control, path, tmp_path / "predictions.parquet", 0, "cpu")
    found = read_predictions(tmp_path / "predictions.parquet")
    index, forward, reverse = probabilities(data, path)
    np.testing.assert_array_equal(found["bin"], index)
    assert found["split"].value_counts().to_dict() == {"validation": 200, "test": 200}
    assert list(found.columns[2:]) == list(planted.MOTIFS)
    np.testing.assert_allclose(found[list(planted.MOTIFS)], (forward + reverse) / 2, rtol=1e-5)
    assert not np.allclose(forward, reverse)


@pytest.mark.parametrize("settings", [{"strand_specific": True}, {"averaging": False}])
def test_one_strand_where_asked(data: Planted, tmp_path: Path, settings: dict[str, bool]) -> None:
    path = checkpoint(tmp_path, **settings)
    predict(data.store, data.windows, data.control, path, tmp_path / "predictions.parquet", 0, "cpu")
    _, forward, _ = probabilities(data, path)
    found = read_predictions(tmp_path / "predictions.parquet")
    np.testing.assert_allclose(found[list(planted.MOTIFS)], forward, rtol=1e-5)


def test_workers_and_a_rerun_give_the_same_bytes(data: Planted, tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    written = set()
    for number, workers in enumerate((0, 0, 1, 2)):
        out = tmp_path / f"{number}.parquet"
        predict(data.store, data.windows, data.control, path, out, workers, "cpu")
        written.add(out.read_bytes())
    assert len(written) == 1


class TowardsTheEnd(torch.nn.Module):
    """Says of each base how far down the window it is, and of its second class whether the base is A."""

    def forward(self, views: dict[str, torch.Tensor]) -> torch.Tensor:
        sequence = views["sequence"]
        place = torch.arange(float(sequence.shape[2])).expand(len(sequence), -1)
        return torch.stack([place, sequence[:, 0]], dim=-1)


def test_bases_of_the_other_strand_are_turned_round(data: Planted) -> None:
    store = open_store(data.store)
    bins = read_bins(data.windows, store, HOLDOUT)
    index = np.array([1001, 1000])
    views = make_views(["sequence"], store, bins, planted.BIN, np.load(data.control))
    outputs = Outputs("position_class", ("t",), (("none", "site"),), planted.BIN)
    loaded = LoadedModel(TowardsTheEnd(), config(), outputs, {})
    (found, (answers,)) = next(predict_bins(loaded, WindowDataset(views, bins.reverse), index, 0, torch.device("cpu")))
    assert found.tolist() == index.tolist()
    codes = window_codes(store, bins.place, index, planted.BIN)
    place = np.arange(planted.BIN)
    # Read from the other strand a base lies as far from the other end, and is A where it is T.
    forward = 1 / (1 + np.exp(place - (codes == 0)))
    other = 1 / (1 + np.exp(place[::-1] - (codes == 3)))
    np.testing.assert_allclose(answers[..., 1], (forward + other) / 2, rtol=1e-5)


def test_predictions_of_the_reverse_strand_lie_along_the_labels() -> None:
    along, counts = torch.arange(12.0).reshape(2, 3, 2), torch.tensor([[1.0, 2], [3, 4]])
    found = as_labelled((along, counts), np.array([False, True]), [1, 0])
    assert found[0].tolist() == [[[0, 1], [2, 3], [4, 5]], [[11, 10], [9, 8], [7, 6]]]
    assert found[1].tolist() == [[1, 2], [4, 3]]
    (same,) = as_labelled((along,), np.array([True, False]), None)
    assert same.tolist() == [[[4, 5], [2, 3], [0, 1]], along[1].tolist()]
    assert along[0, 0].tolist() == [0, 1]


class StrandedBins(nn.Module):
    """Says at each base whether it reads A there, in logits."""

    def forward(self, views: dict[str, torch.Tensor]) -> torch.Tensor:
        letter = views["sequence"][:, 0] * 20 - 10
        return torch.stack([torch.zeros_like(letter), letter], dim=-1)


def test_what_is_written_of_a_bin_on_the_reverse_strand(
    data: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(data.store)
    frame = read_windows(data.windows, HOLDOUT)
    minus = np.arange(len(frame)) % 2 == 1
    write_holdout(tmp_path / "windows.parquet", frame.assign(strand=np.where(minus, "-", "+")), "position_class")
    outputs = Outputs("position_class", ("t",), (("none", "site"),), planted.BIN)
    loaded = LoadedModel(StrandedBins(), config(), outputs, {})
    loaded.config["model"]["strand_specific"] = True
    monkeypatch.setattr("lociflow.evaluation.predict.load_model", lambda path: loaded)
    predict(data.store, tmp_path / "windows.parquet", data.control, tmp_path / "m", tmp_path / "p.parquet", 0, "cpu")
    found = read_predictions(tmp_path / "p.parquet")
    index = found["bin"].to_numpy()
    codes = window_codes(store, read_bins(data.windows, store, HOLDOUT).place, index, planted.BIN)
    # A base of the reverse strand reads A where the forward strand has T, base by base of the forward strand.
    expected = np.where(minus[index, None], codes == 3, codes == 0)
    np.testing.assert_allclose(np.stack(found["t:site"].to_list()), expected, atol=1e-4)
    assert minus[index].any()
    assert not minus[index].all()


def test_a_model_without_outputs_predicts_nothing(data: Planted, tmp_path: Path) -> None:
    settings = config()
    settings["model"]["architecture"] = {"_target_": "lociflow.models.autoencoder.Autoencoder", **AUTOENCODER}
    outputs = Outputs("none", ())
    model = build_model(settings["model"], outputs)
    save_checkpoint(tmp_path / "model.ckpt", model.state_dict(), settings, outputs, {})
    with pytest.raises(UserError, match=r"model.ckpt: was trained without labels, expected a model with outputs"):
        predict(data.store, data.windows, data.control, tmp_path / "model.ckpt", tmp_path / "p.parquet", 0, "cpu")


def test_a_model_of_another_split_is_refused(data: Planted, tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    loaded = load_model(path)
    save_checkpoint(path, loaded.model.state_dict(), loaded.config, OUTPUTS, {"split_digest": "of another split"})
    with pytest.raises(UserError, match=r"model.ckpt: was trained when .*windows.parquet held other bins or had anoth"):
        predict(data.store, data.windows, data.control, path, tmp_path / "p.parquet", 0, "cpu")


def test_predicting_does_not_import_lightning() -> None:
    text = (
        "import sys, lociflow.evaluation.predict; print([n for n in sys.modules if 'lightning' in n or 'sklearn' in n])"
    )
    scripts = Path(__file__).parents[3] / "scripts"
    done = subprocess.run([sys.executable, "-c", text], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
