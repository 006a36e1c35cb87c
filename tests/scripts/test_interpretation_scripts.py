"""The four interpretation steps as a workflow calls them, one after the other, on a toy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toy import WORD, make_toy

from lociflow.interpretation.attributions import read_attributions

SCRIPTS = Path(__file__).parents[2] / "scripts"
METHODS = {
    "deep_lift_shap": {
        "_target_": "lociflow.interpretation.methods.deep_lift_shap",
        "references": {
            "_target_": "lociflow.interpretation.references.dinucleotide_shuffled",
            "_partial_": True,
            "shuffles": 3,
        },
    }
}


def call(script: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_from_a_checkpoint_to_matches(tmp_path: Path) -> None:
    toy = make_toy(tmp_path)
    files = ["--store", toy.store, "--windows", toy.windows, "--checkpoint", toy.checkpoint]
    labels = ["--targets", toy.targets, "--target-table", toy.target_table]
    attributions = tmp_path / "attributions.npz"
    config = json.dumps({"method": "deep_lift_shap", "call": METHODS["deep_lift_shap"], "targets": 1})
    done = call("attribute.py", *files, *labels, "--config", config, "--attributions", attributions)
    assert done.returncode == 0, done.stderr
    assert "Reb1: 99 of 100 positive test windows explained" in done.stderr
    assert len(read_attributions(attributions).bin) == 99
    outputs = [
        f"--{name}={tmp_path / file}" for name, file in (("modisco", "m.h5"), ("meme", "m.meme"), ("table", "m.tsv"))
    ]
    done = call("discover_motifs.py", "--attributions", attributions, "--config", "{}", *outputs)
    assert done.returncode == 0, done.stderr
    outputs = [f"--{name}={tmp_path / file}" for name, file in (("meme", "f.meme"), ("table", "f.tsv"))]
    done = call("extract_filters.py", *files, *labels, "--config", '{"threshold": 0.8}', *outputs)
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(tmp_path / "f.tsv", sep="\t")["consensus"][0] == WORD
    config = json.dumps({"release": "JASPAR2024", "collection": "CORE", "tax_group": "fungi"})
    motifs = [f"toy/modisco={tmp_path / 'm.meme'}", f"toy/filters={tmp_path / 'f.meme'}"]
    matches, matched = tmp_path / "matches.tsv", tmp_path / "matched.meme"
    log = tmp_path / "logs" / "match.log"
    outputs = [f"--matches={matches}", f"--matched-meme={matched}", f"--log={log}"]
    done = call("match_motifs.py", "--motifs", *motifs, "--config", config, *outputs)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(matches, sep="\t")
    best = table[table["label"] == "toy/filters"].iloc[0]
    assert best["match_name"] == "REB1"
    assert best["q"] < 0.05
    assert "of JASPAR2024 (fungi)" in log.read_text()


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(1))
    done = call(
        "discover_motifs.py", "--attributions", tmp_path / "a.npz", "--config", "{}", "--modisco", tmp_path / "m.h5",
        "--meme", tmp_path / "m.meme", "--table", tmp_path / "m.tsv",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("m.*"))
