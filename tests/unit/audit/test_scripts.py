"""The two scripts, as the rules call them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from audit_cases import clean_case

SCRIPTS = Path(__file__).parents[3] / "scripts"


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_an_audit_that_fails_stops_at_the_gate_and_not_before(tmp_path: Path):
    case = clean_case()
    for source, copy in zip(case.on("train")[:9], case.on("test")[:9], strict=True):
        case.window(copy)[:] = case.window(source)
    files = case.write(tmp_path)
    flags = [part for name, path in files.items() for part in (f"--{name.replace('_', '-')}", path)]
    outputs = {"audit": tmp_path / "audit.json", "page": tmp_path / "a.html", "similarity": tmp_path / "s.parquet"}
    flags += [part for name, path in outputs.items() for part in (f"--{name}", path)]
    done = run("audit_dataset.py", *flags, "--config", json.dumps(case.config), "--log", tmp_path / "log")
    assert done.returncode == 0, done.stderr
    assert "audit: fail: Exact duplicates" in done.stderr
    gate = ["--audit", outputs["audit"], "--split", "holdout", "--admitted", tmp_path / "admitted.json"]
    done = run("admit_dataset.py", *gate)
    assert done.returncode == 1
    assert "the audit failed: exact duplicates" in done.stderr
    assert "Traceback" not in done.stderr
