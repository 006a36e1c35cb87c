import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from groups import shipped, starts_from_downloads

from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.preflight import preflight as module
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.preflight.preflight import check_bedtools, check_device, preflight, table

SHIPPED = shipped()


def quickstart() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((module.HOME / "config/config.yaml").read_text())
    return found


def test_the_default_run_needs_nothing_that_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    begin = time.monotonic()
    preflight(quickstart())
    # Most of it is torch, which has to be loaded.
    assert time.monotonic() - begin < 20
    told = capsys.readouterr().err
    assert "bedtools" in told
    assert "disk" in told
    assert "architectures: 3 in 5 trainings, a window passed through each" in told
    assert not list(tmp_path.iterdir())


@pytest.mark.real_data
@pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder")
@pytest.mark.parametrize(
    "name", [name for name in SHIPPED.names("dataset") if not starts_from_downloads(SHIPPED, name)]
)
def test_no_file_of_a_data_set_that_comes_with_lociflow_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    groups = Configuration(module.HOME / "config", module.HOME / "workflow/schemas", [])
    run = {**quickstart(), "datasets": [name], "mirror": os.environ["LOCIFLOW_REAL_DATA"]}
    found = module.look(run, groups, trained=[])
    assert [finding for finding in found if finding.verdict != OK and finding.what not in ("device", "disk")] == []
    (seen,) = [finding.told for finding in found if finding.what == f"dataset {name}"]
    assert re.fullmatch(r"simulated.*|(\d+) of \1 files are here and looked into", seen)


def test_the_mirror_of_the_environment_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Configuration(module.HOME / "config", module.HOME / "workflow/schemas", [])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCIFLOW_MIRROR", str(tmp_path))
    found = module.look({**quickstart(), "datasets": ["uci_splice"], "mirror": None}, groups)
    (lacked,) = [finding.told for finding in found if finding.verdict == ERROR and finding.what.startswith("source")]
    assert f"the mirror {tmp_path} lacks it" in lacked


def test_without_the_readers_libraries_the_files_are_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lociflow.preflight.contents", raising=False)
    monkeypatch.delitem(sys.modules, "lociflow.genome.signal_bigwig", raising=False)
    monkeypatch.delitem(sys.modules, "lociflow.genome.signal", raising=False)
    monkeypatch.setitem(sys.modules, "pyBigWig", None)
    (found,) = module.check_contents({"name": "toy"}, {}, {})
    assert (found.verdict, found.what) == (WARN, "dataset toy")
    assert "no module pyBigWig" in found.told


def test_without_torch_no_model_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Configuration(module.HOME / "config", module.HOME / "workflow/schemas", [])
    monkeypatch.delitem(sys.modules, "lociflow.preflight.models", raising=False)
    monkeypatch.delattr("lociflow.preflight.models", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    (found,) = module.check_models(quickstart(), groups, [("simulated", "deepsea_small")], conda=True)
    assert (found.verdict, found.what) == (WARN, "models")
    assert "no module torch here" in found.told
    assert module.check_models(quickstart(), groups, [], conda=True) == []


def test_preflight_is_imported_without_torch() -> None:
    imported = "import sys, lociflow.preflight.preflight; sys.exit('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", imported], env={**os.environ, "PYTHONPATH": str(module.HOME / "scripts")}
    )
    assert done.returncode == 0


def test_a_model_that_does_not_fit_its_windows_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = {"short": ["model.input_length=60"]}
    told = (
        r"preflight: 1 of \d+ checks failed; the first: \S+config/model/deepsea_small\.yaml with "
        r"model\.input_length=60, on dataset simulated: model\.input_length: 60 bases are too short for DeepSEA"
    )
    with pytest.raises(UserError, match=told):
        preflight({**quickstart(), "models": ["deepsea_small+short"], "variants": short, "interpretation": None})


def test_errors_come_last_and_stop_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "check_bedtools", lambda: Finding("bedtools", ERROR, "bedtools: no such program"))
    with pytest.raises(UserError, match=r"preflight: 1 of \d+ checks failed; the first: bedtools: no such program"):
        preflight(quickstart())
    assert capsys.readouterr().err.rstrip().splitlines()[-1].startswith("error")
    preflight(quickstart(), conda=True)


def test_a_mistake_in_the_run_is_told_before_anything_is_asked() -> None:
    with pytest.raises(UserError, match="nonsense"):
        preflight({**quickstart(), "datasets": ["nonsense"]})


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("bedtools v2.31.1\n", OK), ("bedtools v2.30.0", OK), ("bedtools v2.29.2", ERROR), ("", ERROR)],
)
def test_an_old_bedtools_is_refused(monkeypatch: pytest.MonkeyPatch, answer: str, verdict: str) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/bin/{name}")
    done = subprocess.CompletedProcess([], 0, stdout=answer)
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: done)
    assert check_bedtools().verdict == verdict


def test_without_bedtools_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert "apt-get install bedtools" in check_bedtools().told
    assert check_device() == Finding("device", OK, "CPU (no nvidia-smi on PATH)")


def test_a_gpu_is_named_and_a_driver_that_finds_none_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/bin/{name}")
    for text, expected in (("GPU 0: H200 (UUID: GPU-1)\n", OK), ("", WARN)):
        done = subprocess.CompletedProcess([], 0, stdout=text)
        monkeypatch.setattr(module.subprocess, "run", lambda *_, done=done, **__: done)
        assert check_device().verdict == expected


def test_the_table_sorts_by_verdict() -> None:
    rows = [Finding("a", ERROR, "1"), Finding("longer", OK, "2"), Finding("b", WARN, "3")]
    assert table(rows) == "ok     longer  2\nwarn   b       3\nerror  a       1"
