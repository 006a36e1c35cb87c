import argparse
import json

import pytest

from lociflow.report.manifest import locate, manifest_argument

MANIFEST = {
    "run": "demo", "config": {}, "seeds": [1, 2], "interpreted": ["cnn"],
    "datasets": [
        {
            "name": "d", "description": "", "split": "holdout", "simulation": {"release": "JASPAR2024", "factors": {}},
            "models": [
                {"label": "cnn", "control": False, "methods": ["deep_lift_shap", "saliency"]},
                {"label": "cnn+untrained", "control": True, "methods": []},
            ],
            "baselines": ["kmer_logistic", "ceiling"], "sources": ["a/b.fa"],
        }
    ],
}  # fmt: skip


def test_paths_follow_the_layout() -> None:
    found = locate(MANIFEST)
    (data,) = found["datasets"]
    assert data["windows_counts"] == "results/d/windows.json"
    assert data["source_records"] == ["resources/sources/a/b.fa.source.json"]
    assert found["matches"] == {"d": "results/runs/demo/d.motifs.tsv"}
    assert found["matched_meme"] == {"d": "results/runs/demo/d.matched.meme"}
    entries = [(entry["label"], entry.get("seed"), entry["kind"], entry["metrics"]) for entry in data["entries"]]
    assert entries == [
        ("cnn", 1, "model", "results/d/holdout/cnn/seed1/metrics.json"),
        ("cnn", 2, "model", "results/d/holdout/cnn/seed2/metrics.json"),
        ("cnn+untrained", 1, "control", "results/d/holdout/cnn+untrained/seed1/metrics.json"),
        ("cnn+untrained", 2, "control", "results/d/holdout/cnn+untrained/seed2/metrics.json"),
        ("kmer_logistic", None, "baseline", "results/d/holdout/baselines/kmer_logistic/metrics.json"),
        ("ceiling", None, "ceiling", "results/d/holdout/baselines/ceiling/metrics.json"),
    ]
    first, second, control, *_ = data["entries"]
    explained = "results/d/holdout/cnn/seed1/interpretation"
    assert first["truth"] == f"{explained}/deep_lift_shap/truth.json"
    of_first = f"{explained}/deep_lift_shap/modisco"
    assert first["motifs"]["modisco"] == {"meme": f"{of_first}.meme", "table": f"{of_first}.tsv"}
    assert first["motifs"]["filters"] == {"meme": f"{explained}/filters.meme", "table": f"{explained}/filters.tsv"}
    assert first["attributions"] == f"{explained}/deep_lift_shap/attributions.npz"
    assert first["predictions"] == "results/d/holdout/cnn/seed1/predictions.parquet"
    assert second["motifs"] is second["truth"] is second["attributions"] is control["motifs"] is None
    assert data["sites"] == "resources/sources/simulated/d/sites.tsv"
    assert (control["model"], control["variant"]) == ("cnn", "untrained")


def test_nothing_interpreted_no_motifs() -> None:
    found = locate({**MANIFEST, "interpreted": []})
    assert "matches" not in found
    assert found["datasets"][0]["entries"][0]["motifs"] is None


def test_benchmarks_that_exist_are_found(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("d/make_windows", "d/holdout/cnn/seed1/train", "d/holdout/other/seed1/train", "other/make_windows"):
        path = tmp_path / "benchmarks" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert locate(MANIFEST)["benchmarks"] == [
        "benchmarks/d/holdout/cnn/seed1/train.jsonl", "benchmarks/d/make_windows.jsonl",
    ]  # fmt: skip


def test_argument_is_a_file(tmp_path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    assert manifest_argument(str(path)) == MANIFEST
    (tmp_path / "list.json").write_text("[]")
    for wrong in (json.dumps(MANIFEST), str(tmp_path / "absent.json"), str(tmp_path / "list.json")):
        with pytest.raises(argparse.ArgumentTypeError):
            manifest_argument(wrong)
