import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toy import BIN, OUTPUTS, Toy

from lociflow.command import UserError
from lociflow.interpretation.attention import read_attention
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.map_attention import agreements, by_position, first_rows, map_attention
from lociflow.models.checkpoint import build_model, load_model, save_checkpoint
from lociflow.sequence.one_hot import one_hot

POOL = {
    "_target_": "lociflow.models.attention.AttentionPoolNetwork",
    "filters": [6], "kernels": [9], "pools": [4], "dropouts": [0.0], "heads": 2, "units": 5, "hidden": 8,
}  # fmt: skip
SATORI = {
    "_target_": "lociflow.models.satori.Satori",
    "filters": 6, "kernel": 9, "pool": 5, "heads": 2, "head_size": 4, "units": 7,
}  # fmt: skip


def write_model(path: Path, architecture: dict[str, Any]) -> Path:
    torch.manual_seed(1)
    config = {"name": "looks", "input_length": BIN, "views": ["sequence"], "strand_specific": False}
    whole = {**config, "architecture": architecture}
    state = build_model(whole, OUTPUTS).state_dict()
    save_checkpoint(path, state, {"model": whole, "dataset": {"split": "holdout"}}, OUTPUTS, {})
    return path


def write_explained(path: Path) -> Attributions:
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (70, BIN)).astype(np.uint8)
    facts = [{"target": name, "column": column} for column, name in enumerate(OUTPUTS.targets)]
    target = np.repeat([0, 1], [66, 4])
    hypothetical = draws.normal(size=(70, 4, BIN)).astype(np.float32)
    found = Attributions(np.arange(70), target, codes, hypothetical, {"method": "m", "targets": facts})
    write_attributions(path, found)
    return found


def test_bases_are_averaged_into_the_position_that_they_belong_to() -> None:
    assert by_position(np.array([[1.0, 3, 5, 7]]), 2).tolist() == [[2, 6]]
    assert by_position(np.arange(5.0)[None], 2).tolist() == [[1, 3.5]]
    assert by_position(np.arange(3.0)[None], 3).tolist() == [[0, 1, 2]]


def test_agreement_is_of_ranks_and_undefined_without_any() -> None:
    found = agreements(np.array([[1.0, 2, 30], [1, 2, 3], [1, 1, 1]]), np.array([[1.0, 2, 3], [3, 2, 1], [1, 2, 3]]))
    assert found[:2].tolist() == [1, -1]
    assert np.isnan(found[2])


def test_what_is_unknown_enters_neither_means_nor_ranks() -> None:
    assert by_position(np.array([[1.0, np.nan, 5, 7]]), 2).tolist() == [[1, 6]]
    assert np.isnan(by_position(np.array([[np.nan, np.nan, 5, 7]]), 2)).tolist() == [[True, False]]
    one = np.array([[1.0, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]])
    other = np.array([[9.0, np.nan, 7, 5], [np.nan, np.nan, 1, 2], [2, 2, 2, np.nan]])
    found = agreements(one, other)
    assert found[0] == -1
    assert np.isnan(found[1:]).all()
    assert np.isnan(agreements(one, np.empty((3, 0)))).all()


def test_the_first_rows_of_each_target() -> None:
    assert first_rows(np.array([2, 2, 0, 2, 0]), 2).tolist() == [0, 1, 2, 4]
    assert first_rows(np.empty(0, int), 2).tolist() == []


def test_a_map_of_heads(tmp_path: Path) -> None:
    explained = write_explained(tmp_path / "a.npz")
    checkpoint = write_model(tmp_path / "model.ckpt", SATORI)
    map_attention(checkpoint, tmp_path / "a.npz", tmp_path / "attention.npz")
    found = read_attention(tmp_path / "attention.npz")
    model = load_model(checkpoint).model.eval()
    with torch.no_grad():
        weights = model.attention_weights({"sequence": torch.from_numpy(one_hot(explained.codes))})  # type: ignore[operator]
    maps = weights.mean(dim=1).numpy()
    assert found.meta["kind"] == "map"
    assert (found.meta["heads"], found.meta["length"]) == (2, BIN)
    np.testing.assert_allclose(found.received, maps.mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found.received.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found.mean, maps.mean(axis=0), rtol=1e-4)
    assert found.examples.tolist() == [0, 1, 2, 66, 67, 68]
    np.testing.assert_allclose(found.maps, maps[found.examples], rtol=2e-3)
    assert [fact["windows"] for fact in found.meta["targets"]] == [66, 4]
    assert found.meta["targets"][1]["agreement"] == pytest.approx(float(found.agreement[66:].mean()), rel=1e-5)
    map_attention(checkpoint, tmp_path / "a.npz", tmp_path / "again.npz")
    assert (tmp_path / "attention.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_attention_is_held_against_a_track_of_the_same_windows(tmp_path: Path) -> None:
    explained = write_explained(tmp_path / "a.npz")
    checkpoint = write_model(tmp_path / "model.ckpt", POOL)
    map_attention(checkpoint, tmp_path / "a.npz", tmp_path / "attention.npz")
    plain = read_attention(tmp_path / "attention.npz")
    assert plain.meta["track"] is None
    assert plain.track.shape == (70, 0)
    assert plain.meta["targets"][0]["track_agreement"] is None
    # A track that is the attention itself, base by base.
    index = np.arange(BIN) * 13 // BIN
    meta = json.dumps({"format": "window track", "version": 1, "name": "DNase"})
    values = plain.received[:, index]
    np.savez(tmp_path / "track.npz", bin=explained.bin, values=values, meta=np.array(meta))
    map_attention(checkpoint, tmp_path / "a.npz", tmp_path / "attention.npz", tmp_path / "track.npz")
    found = read_attention(tmp_path / "attention.npz")
    np.testing.assert_allclose(found.track, plain.received, rtol=1e-6)
    assert found.track_agreement.min() > 0.999
    np.testing.assert_allclose(found.track_contributions, found.agreement, atol=0.02)
    assert found.meta["track"] == "DNase"
    assert found.meta["targets"][1]["track_agreement"] == pytest.approx(1, abs=1e-3)
    np.savez(tmp_path / "track.npz", bin=explained.bin + 1, values=values, meta=np.array(meta))
    with pytest.raises(UserError, match=r"track\.npz: is of other windows"):
        map_attention(checkpoint, tmp_path / "a.npz", tmp_path / "attention.npz", tmp_path / "track.npz")


def test_a_pool_looks_from_nowhere(tmp_path: Path) -> None:
    explained = write_explained(tmp_path / "a.npz")
    checkpoint = write_model(tmp_path / "model.ckpt", POOL)
    map_attention(checkpoint, tmp_path / "a.npz", tmp_path / "attention.npz")
    found = read_attention(tmp_path / "attention.npz")
    assert found.meta["kind"] == "pool"
    assert found.received.shape == found.contributions.shape == (70, 13)
    assert found.mean.shape == (0, 13)
    assert found.maps.shape == (6, 0, 13)
    np.testing.assert_allclose(found.received.sum(axis=1), 1, rtol=1e-5)
    observed = np.abs(np.take_along_axis(explained.hypothetical, explained.codes[:, None].astype(int), axis=1)[:, 0])
    np.testing.assert_allclose(found.contributions[:, 0], observed[:, :5].mean(axis=1), rtol=1e-5)


def test_a_model_that_does_not_tell_is_refused(toy: Toy, tmp_path: Path) -> None:
    write_explained(tmp_path / "a.npz")
    with pytest.raises(UserError, match="toy has no attention_weights"):
        map_attention(toy.checkpoint, tmp_path / "a.npz", tmp_path / "attention.npz")
