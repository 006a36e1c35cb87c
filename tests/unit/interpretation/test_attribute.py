from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toy import BIN, WORD, Toy

from lociflow.command import UserError
from lociflow.instantiate import instantiate
from lociflow.interpretation.attribute import (
    AttributeConfig,
    Method,
    attribute,
    choose_targets,
    explain,
    sample_windows,
    summary,
)
from lociflow.interpretation.attributions import read_attributions
from lociflow.interpretation.methods import Contributions
from lociflow.interpretation.scalars import StrandAverage
from lociflow.interpretation.settings import read_settings
from lociflow.models.checkpoint import load_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.models.sequence_only import SequenceModel
from lociflow.sequence.alphabet import encode

SHUFFLED = {
    "_target_": "lociflow.interpretation.references.dinucleotide_shuffled",
    "_partial_": True,
    "shuffles": 4,
}
METHODS: dict[str, Any] = {
    "input_x_gradient": {"_target_": "lociflow.interpretation.methods.input_x_gradient", "_partial_": True},
    "integrated_gradients": {
        "_target_": "lociflow.interpretation.methods.integrated_gradients",
        "_partial_": True,
        "references": SHUFFLED,
    },
    "deep_lift_shap": {"_target_": "lociflow.interpretation.methods.deep_lift_shap", "references": SHUFFLED},
}
CONFIG: dict[str, Any] = {"targets": 1, "windows_per_target": 30}


def method_of(name: str) -> Method:
    found: Method = instantiate({"_partial_": True, **METHODS[name]})
    return found


def run(toy: Toy, path: Path, method: str = "deep_lift_shap", **more: Any) -> None:
    config = {**CONFIG, "method": method, "call": METHODS[method], **more}
    attribute(**toy._asdict(), config=config, attributions=path)


@pytest.mark.parametrize("method", ["input_x_gradient", "integrated_gradients", "deep_lift_shap"])
def test_the_planted_word_is_what_contributes(toy: Toy, tmp_path: Path, method: str) -> None:
    path = tmp_path / "attributions.npz"
    run(toy, path, method=method)
    found = read_attributions(path)
    assert found.meta["method"] == method
    assert found.meta["model"] == "toy"
    assert found.codes.shape == (30, BIN)
    assert set(found.target) == {0}
    observed = np.take_along_axis(found.hypothetical, found.codes[:, None].astype(np.int64), axis=1)[:, 0]
    word = encode(WORD)
    for codes, contributions in zip(found.codes, observed, strict=True):
        starts = np.flatnonzero((np.lib.stride_tricks.sliding_window_view(codes, len(word)) == word).all(axis=1))
        inside = np.concatenate([np.arange(start, start + len(word)) for start in starts])
        outside = np.setdiff1d(np.arange(BIN), inside)
        assert contributions[inside].sum() > 3 * np.abs(contributions[outside]).sum() / 2
        assert contributions[inside].mean() > 4 * np.abs(contributions[outside]).mean()


def test_explains_only_positive_test_windows_without_unknown_bases(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "attributions.npz"
    run(toy, path, windows_per_target=1000, targets="all", method="input_x_gradient")
    found = read_attributions(path)
    of_reb1 = found.bin[found.target == 0]
    assert of_reb1.tolist() == [index for index in range(200, 400, 2) if index != 302]
    assert found.bin[found.target == 1].tolist() == [301, 303]
    first, second = found.meta["targets"]
    assert (first["target"], first["windows"], first["positives"]) == ("Reb1", 99, 100)
    assert (second["column"], second["windows"], second["positives"]) == (1, 2, 2)
    assert (first["unknown_bases"], second["unknown_bases"]) == (1, 0)
    assert first["quality"] == {"gap": None, "change": None, "relative_gap": None}


def test_a_model_of_some_targets_is_explained_on_their_own_bins(toy: Toy, toy_of_one: Toy, tmp_path: Path) -> None:
    run(toy, tmp_path / "all.npz", targets="Reb1")
    run(toy_of_one, tmp_path / "one.npz", targets="Reb1")
    whole, one = (read_attributions(tmp_path / f"{name}.npz") for name in ("all", "one"))
    assert one.meta["targets"] == whole.meta["targets"]
    np.testing.assert_array_equal(one.bin, whole.bin)
    np.testing.assert_allclose(one.hypothetical, whole.hypothetical, atol=1e-6)
    with pytest.raises(UserError, match="found Rap1, expected"):
        run(toy_of_one, tmp_path / "other.npz", targets="Rap1")


def test_a_model_of_a_target_that_the_data_set_lacks_is_refused(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "targets.tsv").write_text("target\nReb1\nTbf1\n")
    with pytest.raises(UserError, match=r"has an output Rap1, expected .*: Reb1, Tbf1; train the model again"):
        run(toy._replace(target_table=tmp_path / "targets.tsv"), tmp_path / "a.npz")


def test_a_contrast_is_explained_on_what_is_positive_for_the_first_alone(toy: Toy, tmp_path: Path) -> None:
    labels = np.load(toy.targets)
    labels[[306, 308], 1] = (1, -1)
    np.save(tmp_path / "targets.npy", labels)
    changed = toy._replace(targets=tmp_path / "targets.npy")
    run(
        changed, tmp_path / "a.npz", targets="Rap1", windows_per_target=1000, method="input_x_gradient",
        contrasts={"Reb1_alone": ["Reb1", "Rap1"]},
    )  # fmt: skip
    found = read_attributions(tmp_path / "a.npz")
    assert [fact["target"] for fact in found.meta["targets"]] == ["Rap1", "Reb1_alone"]
    assert found.bin[found.target == 1].tolist() == [301, 303, 306]
    # 302 has an unknown base, 306 is positive for both, and of 308 it is unknown.
    expected = [index for index in range(200, 400, 2) if index not in (302, 306, 308)]
    assert found.bin[found.target == 2].tolist() == expected
    run(toy, tmp_path / "b.npz", targets="Reb1", windows_per_target=1000, method="input_x_gradient")
    alone = read_attributions(tmp_path / "b.npz")
    # Rap1's logit of the toy is the same everywhere: the contrast is Reb1's logit.
    rows = np.isin(alone.bin, expected)
    np.testing.assert_array_equal(found.hypothetical[found.target == 2], alone.hypothetical[rows])


def test_quality_figures_of_deep_lift_shap(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "attributions.npz"
    run(toy, path)
    found = read_attributions(path)
    meta = found.meta
    assert meta["method"] == "deep_lift_shap"
    assert found.gap is not None
    assert found.change is not None
    assert found.gap.shape == found.change.shape == (30,)
    assert found.gap.astype(float).mean() == pytest.approx(meta["targets"][0]["quality"]["gap"])
    assert found.change.astype(float).mean() == pytest.approx(meta["targets"][0]["quality"]["change"])
    quality = meta["targets"][0]["quality"]
    assert 0 <= quality["gap"] < 1e-5
    assert quality["change"] > 1
    assert quality["relative_gap"] == quality["gap"] / quality["change"]


def test_a_second_run_writes_the_same_bytes(toy: Toy, tmp_path: Path) -> None:
    run(toy, tmp_path / "a.npz")
    run(toy, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    run(toy, tmp_path / "c.npz", seed=2)
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "c.npz").read_bytes()


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(UserError, match=r"attribution: .*'window'"):
        read_settings(AttributeConfig, "attribution", {**CONFIG, "window": 3})


def test_choose_targets() -> None:
    names, positives = ("a", "b", "c", "d"), np.array([5, 9, 0, 5])
    assert choose_targets(2, names, positives) == [0, 1]
    assert choose_targets(10, names, positives) == [0, 1, 3]
    assert choose_targets("all", names, positives) == [0, 1, 3]
    assert choose_targets(["d", "c"], names, positives) == [2, 3]
    assert choose_targets("b", names, positives) == [1]
    with pytest.raises(UserError, match="attribution\\.targets: found e, expected targets of"):
        choose_targets(["a", "e"], names, positives)
    with pytest.raises(UserError, match="no target has a positive test window"):
        choose_targets(3, names, np.zeros(4, dtype=int))


def test_sample_windows_draws_the_same_whatever_is_missing() -> None:
    windows = np.random.default_rng(1).integers(0, 4, (1000, 5)).astype(np.uint8) | np.uint8(0x80)
    windows[::3, 2] = 4

    def view(index: np.ndarray, reverse: np.ndarray) -> np.ndarray:
        return windows[index]

    reverse = np.zeros(1000, dtype=bool)
    positives = np.arange(0, 1000, 2)
    index, codes, unknown = sample_windows(view, reverse, positives, 40, seed=1, column=0)
    assert len(index) == 40
    assert (np.diff(index) > 0).all()
    assert not (index % 3 == 0).any()
    np.testing.assert_array_equal(codes, windows[index] & 0x7F)
    again, *_ = sample_windows(view, reverse, positives, 40, seed=1, column=0)
    np.testing.assert_array_equal(index, again)
    other, *_ = sample_windows(view, reverse, positives, 40, seed=1, column=1)
    assert set(index) != set(other)
    # As many draws as were needed for one window more, but for that window.
    longer, _, passed_over = sample_windows(view, reverse, positives, 41, seed=1, column=0)
    assert set(index) < set(longer)
    assert 0 < unknown <= passed_over < 40
    index, _, unknown = sample_windows(view, reverse, positives, 9999, seed=1, column=0)
    assert (len(index), unknown) == (333, 167)
    nothing, empty, unknown = sample_windows(view, reverse, positives[:0], 9, seed=1, column=0)
    assert (len(nothing), empty.shape, unknown) == (0, (0, 5), 0)
    assert len(sample_windows(view, reverse, positives, 0, seed=1, column=0)[0]) == 0


def test_explain_does_not_depend_on_the_chunks(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    model = SequenceModel(load_model(toy.checkpoint).model)
    codes = np.random.default_rng(1).integers(0, 4, (20, BIN)).astype(np.uint8)
    method = method_of("deep_lift_shap")
    whole = explain(model, method, codes, np.arange(20), 0, 1)
    monkeypatch.setattr("lociflow.interpretation.attribute.CHUNK", 7)
    parts = explain(model, method, codes, np.arange(20), 0, 1)
    torch.testing.assert_close(whole, parts, atol=1e-6, rtol=1e-5)


def test_no_window_gives_no_contribution(toy: Toy) -> None:
    model = SequenceModel(load_model(toy.checkpoint).model)
    method = method_of("deep_lift_shap")
    found = explain(model, method, np.empty((0, BIN), dtype=np.uint8), np.empty(0, dtype=np.int64), 0, 1)
    assert found.hypothetical.shape == (0, 4, BIN)
    assert summary(found)["gap"] is None


def test_summary_of_gaps_by_hand() -> None:
    found = Contributions(torch.zeros(2, 4, 3), torch.tensor([0.25, 0.75]), torch.tensor([1.0, 3.0]))
    assert summary(found) == {"gap": 0.5, "change": 2.0, "relative_gap": 0.25}


def test_strand_average_is_the_same_on_both_strands(toy: Toy) -> None:
    model = StrandAverage(SequenceModel(load_model(toy.checkpoint).model))
    bases = torch.randint(0, 4, (5, BIN), generator=torch.Generator().manual_seed(1))
    windows = torch.nn.functional.one_hot(bases, 4).transpose(1, 2).float()
    torch.testing.assert_close(model(windows), model(windows.flip(1, 2)))
    method = method_of("deep_lift_shap")
    codes = windows.argmax(dim=1).numpy().astype(np.uint8)
    assert summary(explain(model, method, codes, np.arange(5), 0, 1))["gap"] < 1e-5


def test_classes_are_explained_on_the_bins_of_the_class(toy: Toy, tmp_path: Path) -> None:
    classes = Outputs("class", ("motif",), (("none", "Reb1"),))
    labels = (np.load(toy.targets)[:, :1] == 1).astype(np.int16)
    np.save(tmp_path / "targets.npy", labels)
    (tmp_path / "targets.tsv").write_text("target\nmotif\n")
    loaded = load_model(toy.checkpoint)
    # The toy's two logits, Reb1 second.
    state = {name: value.flip(0) if len(value) == 2 else value for name, value in loaded.model.state_dict().items()}
    save_checkpoint(tmp_path / "model.ckpt", state, loaded.config, classes, {})
    changed = toy._replace(
        targets=tmp_path / "targets.npy", target_table=tmp_path / "targets.tsv", checkpoint=tmp_path / "model.ckpt"
    )
    run(changed, tmp_path / "a.npz", targets="motif", windows_per_target=1000, method="input_x_gradient")
    found = read_attributions(tmp_path / "a.npz")
    assert [fact["target"] for fact in found.meta["targets"]] == ["motif:none", "motif:Reb1"]
    assert found.bin[found.target == 1].tolist() == [index for index in range(200, 400, 2) if index != 302]
    assert not set(found.bin[found.target == 0]) & set(range(200, 400, 2))
    run(toy, tmp_path / "b.npz", targets="Reb1", windows_per_target=1000, method="input_x_gradient")
    # The margin of one of two classes is the difference of their logits, and the other logit is the same everywhere.
    np.testing.assert_array_equal(
        found.hypothetical[found.target == 1], read_attributions(tmp_path / "b.npz").hypothetical
    )
    run(changed, tmp_path / "c.npz", targets="motif:Reb1", windows_per_target=5, method="input_x_gradient")
    assert [fact["windows"] for fact in read_attributions(tmp_path / "c.npz").meta["targets"]] == [5]
