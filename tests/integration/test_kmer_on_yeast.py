"""The k-mer baseline on real data, held to what a plain 5-mer logistic regression was measured to reach."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lociflow.evaluation.evaluate import evaluate
from lociflow.evaluation.kmer import fit_predict
from lociflow.evaluation.labels import read_labels
from lociflow.evaluation.metrics import auprc, auroc
from lociflow.evaluation.predictions import read_predictions, write_predictions
from lociflow.genome.dataset import make_windows
from lociflow.genome.window_table import split_digest
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store

CONFIG = Path(__file__).parents[2] / "config"
MINIMUM_PEAKS = 500


@pytest.mark.real_data
@pytest.mark.skipif("LOCIFLOW_REAL_DATA" not in os.environ, reason="LOCIFLOW_REAL_DATA names no folder")
def test_median_scores_of_the_targets_with_many_peaks(tmp_path):
    data = Path(os.environ["LOCIFLOW_REAL_DATA"])
    config = yaml.safe_load((CONFIG / "dataset" / "yeast_chipexo.yaml").read_text())
    sheet = pd.read_csv(CONFIG / "dataset" / "yeast_chipexo.targets.tsv", sep="\t", dtype=str)
    chosen = sheet[sheet["peaks"].astype(int) >= MINIMUM_PEAKS]
    assert len(chosen) == 83
    chosen.to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    genome = data / config["genome"]["source"]["file"]
    write_store([genome], tmp_path / "codes.npy", tmp_path / "store.json", "sacCer3")
    files = {"windows": "windows.parquet", "targets": "targets.npy", "target_table": "targets.tsv"}
    files = {name: tmp_path / file for name, file in files.items()}
    split = config["split"]["name"]
    make_windows(
        tmp_path / "store.json",
        {
            "targets": {"sheet": True},
            # The blacklist has contigs that the genome lacks.
            "contig_aliases": {**config["contig_aliases"], "chrM": None, "chr2-micron": None},
            # As it was measured: every peak makes its bins positive, however weak.
            "labels": {**config["labels"], "positive_score": None},
            **{key: config[key] for key in ("windows", "split")},
        },
        data,
        tmp_path / "sheet.tsv",
        data / config["blacklist"]["file"],
        **files,
        control=tmp_path / "control.npy",
        counts=tmp_path / "counts.json",
        removed=tmp_path / "removed.tsv",
    )
    labels = read_labels(**files, split=split)
    settings = yaml.safe_load((CONFIG / "baseline" / "kmer_logistic.yaml").read_text())
    about = ("_target_", "description", "labels", "alphabets")
    settings = {key: value for key, value in settings.items() if key not in about}
    found = fit_predict(
        open_store(tmp_path / "store.json"), *labels[:3], **{**settings, "window_length": config["windows"]["length"]}
    )
    write_predictions(tmp_path / "predictions.parquet", found, split_digest(files["windows"], split))

    # Scored by the public functions, and by the step, which must agree with them.
    test = read_predictions(tmp_path / "predictions.parquet").query("split == 'test'")
    truth = np.asarray(labels.targets[test["bin"]])
    scores = {
        metric: np.median([function(truth[:, t], test[name].to_numpy()) for t, name in enumerate(labels.names)])
        for metric, function in (("auroc", auroc), ("auprc", auprc))
    }
    assert scores["auroc"] >= 0.800
    assert scores["auprc"] >= 0.192
    evaluate(
        **files,
        split=split,
        predictions=tmp_path / "predictions.parquet",
        config={"block": config["evaluation"]["block"], "draws": 100},
        metrics=tmp_path / "metrics.json",
        curves=tmp_path / "curves.npz",
        draws=tmp_path / "draws.npz",
    )
    summary = yaml.safe_load((tmp_path / "metrics.json").read_text())["summary"]
    for metric, value in scores.items():
        assert summary[metric]["median"] == pytest.approx(value, abs=1e-12)
        assert summary[metric]["low"] < value < summary[metric]["high"]
