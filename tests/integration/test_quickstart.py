"""The default run from end to end: simulate, train, explain, match, report; and the same again."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from lociflow.genome.simulation import read_sites
from lociflow.report.planted import planted_motifs

HOME = Path(__file__).parents[2]
MODELS = ("deepbind_small", "deepsea_small", "danq_small")
SIGNIFICANT = 0.05


def snakemake(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", HOME / "Snakefile", "--cores", "2", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """A folder with the finished default run, and what it said."""
    folder = tmp_path_factory.mktemp("quickstart")
    return folder, snakemake(folder)


@pytest.fixture(scope="module")
def scores(quickstart):
    folder, _ = quickstart
    return pd.read_csv(folder / "results/runs/quickstart/scores.tsv", sep="\t").set_index("label")


def scores_of_explanations(folder: Path, label: str) -> dict[str, Any]:
    (found,) = (folder / "results/simulated/holdout" / label / "seed1/interpretation").glob("*/truth.json")
    overall: dict[str, Any] = json.loads(found.read_text())["overall"]
    return overall


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every result that has to be the same on a rerun."""
    names = ("windows.parquet", "targets.npy", "model.ckpt", "predictions.parquet", "metrics.json", "modisco.meme")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in names
        for path in sorted((folder / "results").rglob(name))
    }


def test_it_ends_with_the_scores_and_the_path_of_the_report(quickstart):
    folder, said = quickstart
    table = (folder / "results/runs/quickstart/scores.txt").read_text().strip()
    assert table in said
    assert said.rindex("report: results/runs/quickstart/report.html") > said.rindex(table)


def test_every_architecture_learns_and_none_passes_the_ceiling(scores):
    for label in MODELS:
        assert scores.loc["kmer_logistic", "auroc_mean"] < scores.loc[label, "auroc_mean"]
        assert scores.loc["kmer_logistic", "auprc_mean"] < scores.loc[label, "auprc_mean"]
        assert scores.loc[label, "auprc_mean"] < scores.loc["ceiling", "auprc_mean"]
        assert scores.loc[label, "auroc_mean"] < scores.loc["ceiling", "auroc_mean"]


def test_controls_learn_nothing(scores):
    controls = scores[scores["kind"] == "control"]
    assert len(controls) == 2
    assert (controls["auroc_mean"] < 0.55).all()


def test_every_planted_motif_is_found_and_by_no_untrained_network(quickstart):
    folder, _ = quickstart
    matches = pd.read_csv(folder / "results/runs/quickstart/simulated.motifs.tsv", sep="\t")
    best = matches.sort_values("q", kind="stable").drop_duplicates(["label", "motif"]).fillna({"family": ""})
    best = best[(best["q"] < SIGNIFICANT) & (best["kind"] != "negative")]
    simulation = yaml.safe_load((HOME / "config/dataset/simulated.yaml").read_text())["simulation"]
    motifs = planted_motifs(simulation)
    assert set(motifs) == {"CTCF", "REST", "HNF1A", "GRHL1", "EBF1", "NFYA"}
    for factor, planted in motifs.items():
        same = best["family"].map(lambda found, planted=planted: bool({*found.split("::")} & {*planted.families}))
        found = best[same].assign(model=best["label"].str.partition("/")[0]).groupby("model")["q"].min()
        trained = found[found.index.isin(MODELS)]
        assert len(trained), f"{factor} is found by no architecture"
        assert not found.index.str.endswith("+untrained").any(), factor
        # What a network trained on permuted labels picks up of a motif is no rival to what the trained ones learn.
        shuffled = found[found.index.str.endswith("+shuffled_labels")]
        assert (shuffled > 1000 * trained.min()).all(), factor


def test_attributions_find_the_planted_positions(quickstart):
    folder, _ = quickstart
    for label in MODELS:
        overall = scores_of_explanations(folder, label)
        assert overall["auprc"] > 3 * overall["base_rate"]
        assert overall["decoy_ratio"] < 0.5
    control = scores_of_explanations(folder, "deepbind_small+shuffled_labels")
    assert control["auprc"] < 2 * control["base_rate"]


def test_the_truth_is_as_documented(quickstart):
    folder, _ = quickstart
    sites = read_sites(folder / "resources/sources/simulated/simulated/sites.tsv")
    assert {"site", "pair", "decoy"} == set(sites["kind"])


def test_a_second_run_has_nothing_to_do(quickstart):
    folder, _ = quickstart
    assert "Nothing to be done" in snakemake(folder, "--dry-run")


@pytest.mark.slow
def test_a_rerun_gives_the_same_bytes(quickstart, tmp_path_factory):
    folder, _ = quickstart
    before = digests(folder)
    assert len(before) > 20
    # Beside the first: scripts are inputs by their relative paths, and from elsewhere all of it would run again.
    again = tmp_path_factory.mktemp("again")
    shutil.copytree(folder, again, symlinks=True, dirs_exist_ok=True)
    for name in ("simulated/holdout/deepbind_small", "simulated/holdout/baselines", "runs"):
        shutil.rmtree(again / "results" / name)
    assert digests(again) != before
    snakemake(again)
    assert digests(again) == before
