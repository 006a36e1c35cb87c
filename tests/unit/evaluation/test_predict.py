import subprocess
import sys
from pathlib import Path

import numpy as np
import planted
import pytest
import torch
from planted import Planted, config
from window_files import HOLDOUT

from lociflow.data.bins import bins_of_split, read_bins
from lociflow.data.one_hot import OneHot
from lociflow.evaluation.predict import predict
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.placement import window_codes
from lociflow.models.checkpoint import build_model, load_model, save_checkpoint
from lociflow.sequence.alphabet import reverse_complement
from lociflow.sequence.store import open_store


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return planted.make_planted(tmp_path_factory.mktemp("planted"))


def checkpoint(folder: Path, strand_specific: bool = False, averaging: bool = True) -> Path:
    settings = config(reverse_complement={"augmentation": True, "averaging": averaging})
    settings["model"]["strand_specific"] = strand_specific
    torch.manual_seed(1)
    model = build_model(settings["model"], 2)
    save_checkpoint(folder / "model.ckpt", model.state_dict(), settings, tuple(planted.MOTIFS), {})
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


def test_predicting_does_not_import_lightning() -> None:
    text = (
        "import sys, lociflow.evaluation.predict; print([n for n in sys.modules if 'lightning' in n or 'sklearn' in n])"
    )
    scripts = Path(__file__).parents[3] / "scripts"
    done = subprocess.run([sys.executable, "-c", text], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
