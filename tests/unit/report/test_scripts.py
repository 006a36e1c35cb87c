"""The two steps, run as Snakemake runs them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from explanation_files import Files

SCRIPTS = Path(__file__).parents[3] / "scripts"


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def written(manifest: dict[str, Any], folder: Path) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    return path


def test_compare_writes_the_table(simulated, tmp_path) -> None:
    manifest = written(simulated.manifest, tmp_path)
    scores, table, log = (tmp_path / name for name in ("scores.tsv", "scores.txt", "compare.log"))
    done = run("compare.py", "--manifest", manifest, "--scores", scores, "--table", table, "--log", log)
    assert done.returncode == 0, done.stderr
    assert len(scores.read_text().splitlines()) == 8
    assert "danq_small" in table.read_text()
    assert done.stderr == "scored 7 models and baselines\n"


def test_report_writes_the_page(simulated, tmp_path) -> None:
    path = written(simulated.manifest, tmp_path)
    page = tmp_path / "report.html"
    done = run("report.py", "--manifest", path, "--report", page)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == f"report: {page} ({page.stat().st_size / 1e6:.1f} MB)"


def test_a_missing_file_is_one_sentence(simulated, tmp_path) -> None:
    missing = Path(simulated.manifest["datasets"][0]["entries"][0]["metrics"])
    missing.unlink()
    done = run("report.py", "--manifest", written(simulated.manifest, tmp_path), "--report", tmp_path / "report.html")
    assert done.returncode == 1
    assert done.stderr == f"error: {missing}: named by the manifest but not found; run snakemake again to make it\n"
    assert not (tmp_path / "report.html").exists()


def test_rank_explanations_writes_tables_and_figure(tmp_path) -> None:
    files = Files(tmp_path)
    files.truth("cnn", "deep_lift_shap", 0.6, recovered=2)
    files.truth("cnn", "saliency", 0.59)
    manifest = written({"run": "toy", "explanations": {"simulated": {**files.ranked(), "level": 0.95}}}, tmp_path)
    outputs = {name: tmp_path / f"out.{name}" for name in ("ranking", "factors", "figure")}
    named = [part for name, path in outputs.items() for part in (f"--{name}", path)]
    done = run("rank_explanations.py", "--manifest", manifest, "--dataset", "simulated", *named)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "cnn: deep_lift_shap, AUPRC 0.600\n"
    assert len(outputs["ranking"].read_text().splitlines()) == 1 + 2
    assert len(outputs["factors"].read_text().splitlines()) == 1 + 2 * 2
    assert outputs["figure"].read_text().startswith("<svg xmlns=")
