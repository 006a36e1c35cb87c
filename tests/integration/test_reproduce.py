"""A recorded run made again elsewhere from its crate alone, and a copy of it that has been changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rocrate.rocrate import ROCrate

HOME = Path(__file__).parents[2]
CRATE = "ro-crate-metadata.json"
# A user's own data set and model: the simulated genome of lociflow with other bins, one epoch of the smallest model.
RUN = {
    "run": "tiny",
    "datasets": ["mine"],
    "models": ["mine"],
    "baselines": ["gc_content"],
    "interpretation": None,
    "interpret": [],
    "config_dirs": ["my_config"],
}


def called(folder, *command):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_run_with_own_groups_is_made_again_from_its_crate(tmp_path):
    first, elsewhere, out = tmp_path / "first", tmp_path / "elsewhere" / "tiny", tmp_path / "out"
    for group, text in (("dataset", "defaults: [simulated]\n"), ("model", "defaults: [deepbind_small]\n")):
        (first / "my_config" / group).mkdir(parents=True)
        (first / "my_config" / group / "mine.yaml").write_text(f"{text}description: mine\n")
    (first / "my_config/model/mine.yaml").write_text("defaults: [deepbind_small]\ntraining: {max_epochs: 1}\n")
    (first / "tiny.yaml").write_text(yaml.safe_dump(RUN))
    ran = called(
        first, "-m", "snakemake", "-s", HOME / "Snakefile", "--cores", "2", "--configfile", "tiny.yaml", "--quiet"
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    crate = ROCrate(first / "results/runs/tiny")
    assert crate.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    shutil.copytree(first / "results/runs/tiny", elsewhere)
    shutil.rmtree(first)

    again = called(tmp_path, HOME / "scripts/reproduce.py", elsewhere, "--out", out, "--cores", "2")
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    verdicts = dict(line.split(maxsplit=2)[:2] for line in again.stdout.splitlines()[1:-2])
    assert verdicts["mine/holdout/mine/seed1"] == verdicts["mine"] == verdicts["sources"] == "same"
    assert set(verdicts.values()) == {"same"}

    # One weight that another machine might have rounded otherwise.
    graph = json.loads((elsewhere / CRATE).read_text())
    (weights,) = (entity for entity in graph["@graph"] if entity["@id"].endswith("seed1/model.ckpt"))
    weights["identifier"] = "content-sha256:" + "0" * 64
    (elsewhere / CRATE).write_text(json.dumps(graph))
    told = called(tmp_path, HOME / "scripts/reproduce.py", elsewhere, "--against", out / "results/runs/tiny")
    assert told.returncode == 0, told.stderr
    assert "same scores, other bits  model.ckpt" in told.stdout
