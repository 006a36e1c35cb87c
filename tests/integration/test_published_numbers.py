"""Published numbers are what the files say in which they were read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from lociflow.published import read_published

HOME = Path(__file__).parents[2]
SCHEMAS = HOME / "workflow" / "schemas"


def test_the_scores_of_lsgkm_are_those_of_its_own_predictions(real_data: Path) -> None:
    folder = real_data / "lsgkm_nfe2_gm12878"
    stem = "wgEncodeSydhTfbsGm12878Nfe2hStdAlnRep0"
    positive, negative = (
        pd.read_csv(folder / f"{stem}.{name}.pred.txt", sep="\t", header=None)[1] for name in ("test", "neg.test")
    )
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    scores = pd.concat([positive, negative])
    crossed = pd.read_csv(folder / f"{stem}.cvpred.txt", sep="\t", header=None)
    computed = {
        "nfe2/lsgkm_auroc": roc_auc_score(labels, scores),
        "nfe2/lsgkm_auprc": average_precision_score(labels, scores),
        "nfe2/lsgkm_cross_validation": roc_auc_score(crossed[2] > 0, crossed[1]),
    }
    entries = {entry["id"]: entry["value"] for entry in read_published(HOME / "config/published/nfe2.yaml", SCHEMAS)}
    assert {name: round(value, 6) for name, value in computed.items()} == entries


def test_the_errors_of_uci_splice_are_those_of_its_documentation(real_data: Path) -> None:
    lines = (real_data / "uci_classic/splice_SOURCE_README.txt").read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if "KBANN" in line and "4.62" in line)
    table = [tuple(float(cell) / 100 for cell in line.split()[-3:]) for line in lines[first : first + 7]]
    entries = read_published(HOME / "config/published/uci_splice.yaml", SCHEMAS)
    assert [entry["target"] for entry in entries] == ["junction:N", "junction:EI", "junction:IE"] * 7
    assert [entry["value"] for entry in entries] == pytest.approx([value for row in table for value in row], abs=1e-9)
