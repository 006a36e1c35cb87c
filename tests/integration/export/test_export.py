"""The folder of an exported model: its programs without lociflow, its card, its refusals."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from toy import MODEL, OUTPUTS, Toy, make_toy

from lociflow.command import UserError
from lociflow.evaluation.evaluate import evaluate
from lociflow.evaluation.predict import predict
from lociflow.evaluation.predictions import read_predictions
from lociflow.export import export as step
from lociflow.export.export import export
from lociflow.export.program import Predictor
from lociflow.formats import stamp
from lociflow.genome.window_table import read_windows
from lociflow.models.checkpoint import build_model, load_model, save_checkpoint
from lociflow.models.outputs import UNLABELLED, Outputs

TRAINING = {
    "torch_threads": 1,
    "evaluation_batch_size": 64,
    "reverse_complement": {"augmentation": True, "averaging": True},
}
SLOPE, INTERCEPT = [0.5, 2.0], [-1.0, 0.25]
ABOUT: dict[str, Any] = {
    "name": "toy+long",
    "model": {"name": "Toy", "description": "One filter.", "paper": "Nobody 2020", "doi": "10.1/1"},
    "dataset": {"description": "A toy", "citation": "Nobody 2020", "licence": "GPL-3.0"},
    "attribution": {"method": "deep_lift_shap", "valid": ["deep_lift_shap"], "reason": "the rest was not tried"},
    "sources": 21,
}
SOURCE = {**stamp("source"), "file": "toy.fa", "from": ["https://a.org/toy.fa"], "sha256": "ab" * 32}
CHECK = {"check": "balance", "title": "Balance and drift", "split": "holdout", "verdict": "warn", "applies": True}
AUDIT = {
    **stamp("audit"),
    "stands_for": {},
    "by_split": {"holdout": "warn"},
    "says_by_split": {"holdout": "Worth a look: balance and drift."},
    "checks": [{**CHECK, "says": "There are 2 test positives."}, {**CHECK, "split": "other", "says": "Not here."}],
}


class Inputs(NamedTuple):
    toy: Toy
    folder: Path

    def export(self, folder: Path, formats: tuple[str, ...] = ("pt2",), **changed: Any) -> Path:
        """Export the toy and return the folder."""
        export(
            **{
                "store": self.toy.store,
                "windows": self.toy.windows,
                "control": self.folder / "control.npy",
                "checkpoint": self.toy.checkpoint,
                "predictions": self.folder / "predictions.parquet",
                "metrics": self.folder / "metrics.json",
                "audit": self.folder / "audit.json",
                "baselines": [f"kmer={self.folder / 'metrics.json'}"],
                "sources": [self.folder / "source.json"],
                "about": ABOUT,
                "formats": formats,
                "folder": folder,
                **changed,
            }
        )
        return folder


def save(toy: Toy, outputs: Outputs = OUTPUTS, **model: Any) -> None:
    config = {
        "dataset": {"name": "toy", "split": "holdout"},
        "model": {**MODEL, **model},
        "training": TRAINING,
        "seed": 1,
    }
    provenance = {"calibration": [SLOPE, INTERCEPT], "torch": torch.__version__}
    save_checkpoint(toy.checkpoint, load_model(toy.checkpoint).model.state_dict(), config, outputs, provenance)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("toy")
    toy = make_toy(folder)
    save(toy)
    np.save(folder / "control.npy", np.zeros((400, 0), np.float32))
    made = Inputs(toy, folder)
    predict(toy.store, toy.windows, folder / "control.npy", toy.checkpoint, folder / "predictions.parquet", 0, "cpu")
    evaluate(
        toy.windows, toy.targets, toy.target_table, folder / "predictions.parquet", "holdout",
        {"block": 600, "draws": 50, "level": 0.95, "seed": 1},
        folder / "metrics.json", folder / "curves.npz", folder / "draws.npz",
    )  # fmt: skip
    (folder / "audit.json").write_text(json.dumps(AUDIT))
    (folder / "source.json").write_text(json.dumps(SOURCE))
    return made


@pytest.fixture(scope="module")
def exported(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inputs.export(tmp_path_factory.mktemp("model") / "export", ("pt2", "onnx"))


def predicted(inputs: Inputs) -> dict[tuple[str, str], float]:
    """Return the table of predictions by the names of bin and column."""
    table = read_predictions(inputs.folder / "predictions.parquet")
    bins = read_windows(inputs.toy.windows).iloc[table["bin"]]
    names = [f"{row.contig}:{row.start}-{row.end}({row.strand})" for row in bins.itertuples()]
    return {
        (name, column): value for column in OUTPUTS.columns for name, value in zip(names, table[column], strict=True)
    }


def run_example(folder: Path, where: Path) -> pd.DataFrame:
    """Run the example where no lociflow can be imported."""
    ran = subprocess.run(
        [sys.executable, "-I", str(folder / "example.py")],
        cwd=where,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    head, *rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert head == ["bin", "column", "predicted", "exported"]
    return pd.DataFrame(rows, columns=["window", "column", "value", "expected"])


def check_example(folder: Path, where: Path, inputs: Inputs) -> None:
    found, table = run_example(folder, where), predicted(inputs)
    assert len(found) == 3 * len(OUTPUTS.columns)
    wanted = [table[window, column] for window, column in zip(found["window"], found["column"], strict=True)]
    np.testing.assert_allclose(found["value"].astype(float), wanted, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["expected"].astype(float), wanted, rtol=0, atol=1e-6)
    assert found["value"].nunique() > 2


def test_lociflow_cannot_be_imported_where_the_example_runs(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-I", "-c", "import lociflow"], cwd=tmp_path, env={}, capture_output=True)
    assert ran.returncode != 0


def test_the_example_repeats_the_predictions_with_pytorch_alone(exported: Path, inputs: Inputs, tmp_path: Path) -> None:
    check_example(exported, tmp_path, inputs)


def test_the_example_repeats_the_predictions_with_an_onnx_runtime(inputs: Inputs, tmp_path: Path) -> None:
    folder = inputs.export(tmp_path / "export", ("onnx",))
    assert not (folder / "model.pt2").exists()
    assert "torch" not in (folder / "example.py").read_text()
    check_example(folder, tmp_path, inputs)


def test_both_files_are_held_against_the_model(exported: Path) -> None:
    files = json.loads((exported / "model.json").read_text())["files"]
    assert {name: found["file"] for name, found in files.items()} == {"pt2": "model.pt2", "onnx": "model.onnx"}
    assert all(found["largest_difference"] <= found["tolerance"] == 1e-5 for found in files.values())


def test_the_weights_load_without_running_code(exported: Path, inputs: Inputs) -> None:
    found = torch.load(exported / "weights.pt", weights_only=True)
    for name, tensor in load_model(inputs.toy.checkpoint).model.state_dict().items():
        assert torch.equal(found[name], tensor)


def test_it_says_what_goes_in_and_comes_out(exported: Path) -> None:
    about = json.loads((exported / "model.json").read_text())
    assert (about["channels"], about["input_length"], about["views"]) == ("ACGT", 60, ["sequence"])
    assert about["letters"]["C"] == [0, 1, 0, 0]
    assert about["letters"]["N"] == [0, 0, 0, 0]
    assert about["letters"]["R"] == [0.5, 0, 0.5, 0]
    assert about["letters"]["U"] == [0, 0, 0, 1]
    assert about["bin_length"] == 60
    assert about["inputs"][0]["shape"] == ["batch", 4, 60]
    assert [(one["name"], one["shape"]) for one in about["outputs"]] == [
        ("probabilities", ["batch", 2]),
        ("logits", ["batch", 2]),
    ]
    assert about["columns"] == ["Reb1", "Rap1"]
    assert about["averages_strands"] is True
    assert about["calibration"] == {"slope": SLOPE, "intercept": INTERCEPT}
    assert about["predictions_differ_by"] < 1e-6


def test_probabilities_are_means_of_corrected_ones_and_logits_are_raw(exported: Path) -> None:
    model = torch.export.load(exported / "model.pt2").module()
    # The word of the first filter, TTACCCGT, scores 8 on the strand that has it.
    codes = torch.zeros(60, dtype=torch.long)
    codes[20:28] = torch.tensor([3, 3, 0, 1, 1, 1, 2, 3])
    one_hot = torch.nn.functional.one_hot(codes, 4).float().T[None]
    probabilities, logits = model(one_hot)
    _, other = model(one_hot.flip((1, 2)))
    assert logits[0].tolist() == [8, 0]
    assert other[0, 0] < 8
    corrected = (torch.stack([logits, other]) * torch.tensor(SLOPE) + torch.tensor(INTERCEPT)).sigmoid().mean(0)
    torch.testing.assert_close(probabilities, corrected)


def test_the_card_has_a_head_and_the_scores_of_the_metrics(exported: Path, inputs: Inputs) -> None:
    card = (exported / "README.md").read_text()
    _, head, text = card.split("---\n", 2)
    metrics = json.loads((inputs.folder / "metrics.json").read_text())
    found = yaml.safe_load(head)
    assert found["license"] == "other"
    assert "onnx" in found["tags"]
    results = {one["type"]: one["value"] for one in found["model-index"][0]["results"][0]["metrics"]}
    assert results["auroc"] == metrics["summary"]["auroc"]["median"]
    auprc = metrics["summary"]["auprc"]
    row = re.search(r"^\| this model \| (.*) \|$", text, re.MULTILINE)
    assert row
    assert row[1].split(" | ")[1] == f"{auprc['median']:.3f} ({auprc['low']:.3f} to {auprc['high']:.3f})"
    assert f"prevalence is {metrics['summary']['prevalence']['median']:.4f}" in text
    assert "| kmer |" in text
    assert "{{" not in card
    assert "None |" not in card


def test_the_card_says_where_data_come_from_and_what_the_audit_found(exported: Path) -> None:
    text = (exported / "README.md").read_text()
    assert "`" + "ab" * 32 + "`" in text
    assert "and 20 more files" in text
    assert "**Audit: warn.** Worth a look: balance and drift." in text
    assert "There are 2 test positives." in text
    assert "Not here." not in text
    assert "Licence of the data: GPL-3.0." in text
    assert "ceiling" not in text
    assert "| bin | 60 letters, with the same middle as the window |" in text
    assert "| input | 60 letters of DNA, one-hot in the order ACGT |" in text
    assert "[doi:10.1/1](https://doi.org/10.1/1)" in text
    assert "Valid for this architecture: deep_lift_shap" in text


def test_a_card_of_simulated_data_has_a_ceiling_and_nobody_to_ask(inputs: Inputs, tmp_path: Path) -> None:
    about = {**ABOUT, "sources": 0, "dataset": {**ABOUT["dataset"], "licence": ""}}
    baselines = [f"ceiling={inputs.folder / 'metrics.json'}"]
    text = (
        inputs.export(tmp_path / "export", (), about=about, sources=[], baselines=baselines) / "README.md"
    ).read_text()
    assert "\nThe ceiling knows how the data were simulated: it is the best score" in text
    assert "The data are simulated: nothing was downloaded." in text
    assert "Licence of the data: none stated; they are simulated." in text
    assert "owners" not in text


def test_a_second_export_replaces_the_first_as_a_whole(inputs: Inputs, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "model.onnx").write_text("of another time")
    inputs.export(folder, ())
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "example.json", "model.json", "weights.pt"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_a_file_that_computes_something_else_does_not_stay(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = step.record

    def wrong(model: Predictor, views: tuple[torch.Tensor, ...]) -> torch.export.ExportedProgram:
        program = record(model, views)
        # Expected numbers are computed already; the program holds the same weights and is written afterwards.
        with torch.no_grad():
            model.model.get_submodule("head.output").bias.add_(1e-3)
        return program

    monkeypatch.setattr(step, "record", wrong)
    folder = inputs.export(tmp_path / "export")
    assert not (folder / "model.pt2").exists()
    assert not (folder / "example.py").exists()
    reason = json.loads((folder / "model.json").read_text())["files"]["pt2"]["reason"]
    assert re.fullmatch(
        r"the file was made but not kept: its numbers differ from .* by up to .*e-0\d, allowed are 1e-05", reason
    )
    assert reason in (folder / "README.md").read_text()


def test_an_architecture_that_cannot_be_recorded_leaves_its_weights_and_the_reason(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no rule for\nthis")

    monkeypatch.setattr(step, "record", fails)
    folder = inputs.export(tmp_path / "export", ("pt2", "onnx"))
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "example.json", "model.json", "weights.pt"]
    assert (folder / "README.md").read_text().count("cannot record this architecture (RuntimeError: no rule for)") == 2
    assert "build_model" in (folder / "README.md").read_text()


def test_predictions_of_another_model_are_refused(inputs: Inputs, tmp_path: Path) -> None:
    other = Toy(*inputs.toy)._replace(checkpoint=tmp_path / "model.ckpt")
    loaded = load_model(inputs.toy.checkpoint)
    state = {name: tensor + 0.5 for name, tensor in loaded.model.state_dict().items()}
    save_checkpoint(other.checkpoint, state, loaded.config, OUTPUTS, {})
    with pytest.raises(
        UserError, match=r"predictions.parquet: found numbers that differ by up to .*its own predictions"
    ):
        inputs.export(tmp_path / "export", checkpoint=other.checkpoint)
    assert not (tmp_path / "export").exists()


def test_a_model_without_labels_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    loaded = load_model(inputs.toy.checkpoint)
    path = tmp_path / "model.ckpt"
    config = {
        **loaded.config,
        "model": {
            **MODEL,
            "architecture": {
                "_target_": "lociflow.models.autoencoder.Autoencoder",
                "filters": [4],
                "kernels": [8],
                "pools": [4],
                "code": 3,
            },
        },
    }
    outputs = Outputs(UNLABELLED, ())
    save_checkpoint(path, build_model(config["model"], outputs).state_dict(), config, outputs, {})
    with pytest.raises(UserError, match=r"was trained without labels, expected a model with outputs"):
        inputs.export(tmp_path / "export", checkpoint=path)


def test_a_format_that_does_not_exist_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"export.formats: found tflite, expected some of pt2, onnx"):
        inputs.export(tmp_path / "export", ("tflite",))
