"""Every real data set of config/dataset: its windows and labels in exact numbers, and what the audit says of three.

datasets.yaml holds the numbers; test_dataset_labels.py counts many of them anew from the files.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from groups import shipped, starts_from_downloads

from lociflow.sources import is_simulated

SIDES = ("train", "validation", "test")
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "datasets.yaml").read_text())

pytestmark = pytest.mark.real_data


def first_target(kind: str, labels: dict[str, Any]) -> Any:
    if kind == "binary":
        return labels["positives"][0]
    return labels["classes"][0] if "classes" in labels else pytest.approx(labels["mean"][0], abs=2e-6)


def test_every_real_data_set_is_here():
    groups = shipped()
    here = [name for name in groups.names("dataset") if not is_simulated(groups.dataset(name))]
    assert sorted(EXPECTED) == sorted(name for name in here if not starts_from_downloads(groups, name))


@pytest.mark.parametrize("name", EXPECTED)
def test_arrays_have_the_shape_and_the_type_of_their_kind(datasets, name):
    expected, targets = EXPECTED[name], datasets.array(name)
    assert targets.dtype == expected["dtype"]
    assert list(targets.shape) == expected["shape"]
    control = datasets.array(name, "control")
    assert control.dtype == np.float32
    assert list(control.shape) == [expected["shape"][0], *expected.get("control", [0])]
    about = datasets.about(name)
    assert about["kind"] == datasets.summary(name)["kind"] == expected["kind"]
    assert about["stranded"] == expected.get("stranded", False)
    assert about["reverse"] == expected.get("reverse")


@pytest.mark.parametrize("name", EXPECTED)
def test_bins_are_kept_dropped_and_split_as_before(datasets, name):
    expected, found = EXPECTED[name], datasets.summary(name)
    bins = found["bins"]
    assert {reason: number for reason, number in bins["dropped"].items() if number} == expected.get("dropped", {})
    assert bins["kept"] == expected["shape"][0] == bins["made"] - sum(bins["dropped"].values())
    folds = {f"{name}{fold}": name for name, count in expected.get("folds", {}).items() for fold in range(1, count + 1)}
    for name in expected.get("folds", {}):
        tested = [found["splits"][fold]["bins"]["test"] for fold, scheme in folds.items() if scheme == name]
        assert sum(tested) == bins["kept"]
        assert max(tested) - min(tested) <= 1
    counted = {
        split: {side: [part["bins"][side], first_target(found["kind"], part["labels"][side])] for side in SIDES}
        for split, part in found["splits"].items()
        if split not in folds
    }
    assert counted == expected["splits"]


LEAKS = {"duplicates": "fail", "near_duplicates": "fail", "conflicts": "warn"}
VERDICTS = {
    "nfe2": {
        "published": {"near_duplicates": "warn", "shortcuts": "warn"},
        "leakfree": {"shortcuts": "warn"},
    },
    "uci_splice": {
        "homology": {"conflicts": "warn"},
        "random": {**LEAKS, "shortcuts": "warn"},
        # Folds that are drawn by lot leak as the random split does.
        **{
            f"cv{fold}": {**LEAKS, **({"shortcuts": "warn"} if fold in (1, 2, 3, 4, 8) else {})}
            for fold in range(1, 11)
        },
    },
    "yeast_gene_parts": {
        "holdout": {"duplicates": "warn", "near_duplicates": "warn", "shortcuts": "warn"},
    },
}
OF_A_SPLIT = ("duplicates", "overlap", "near_duplicates", "conflicts", "shortcuts", "balance", "groups")


@pytest.mark.parametrize("name", VERDICTS)
def test_the_audit_has_these_verdicts(datasets, name):
    expected = {("coordinates", None): "pass"}
    for split, others in VERDICTS[name].items():
        expected |= {(check, split): others.get(check, "pass") for check in OF_A_SPLIT}
    assert {key: check["verdict"] for key, check in datasets.checks(name).items()} == expected
    assert "<html" in (datasets.folder / name / "audit.html").read_text()[:200]


def test_the_random_split_of_uci_splice_leaks_what_the_other_does_not(datasets, real_data):
    checks = datasets.checks("uci_splice")
    assert checks["duplicates", "random"]["value"] == pytest.approx(57 / 638)
    assert checks["near_duplicates", "random"]["value"] == pytest.approx(167 / 638)
    assert checks["duplicates", "homology"]["value"] == checks["near_duplicates", "homology"]["value"] == 0
    # Counted here: test sequences that are letter by letter in the training set, on either strand.
    bins = datasets.bins("uci_splice", "random")
    lines = [
        line.split(",") for line in (real_data / "uci_classic/splice.data").read_text().splitlines() if line.strip()
    ]
    letters = pd.Series([fields[2].strip() for fields in lines])
    pairs = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")
    both = letters[(bins["split"] == "train").to_numpy()].tolist()
    both += [text.translate(pairs)[::-1] for text in both]
    assert letters[(bins["split"] == "test").to_numpy()].isin(both).sum() == 57


def test_the_leaks_of_nfe2_are_gone_from_its_leakfree_split(datasets):
    checks = datasets.checks("nfe2")
    assert checks["near_duplicates", "published"]["value"] == pytest.approx(5 / 128)
    assert checks["near_duplicates", "leakfree"]["value"] == 0
    removed = pd.read_csv(datasets.folder / "nfe2/removed.tsv", sep="\t")
    assert len(removed) == 6
    assert removed["split"].value_counts().to_dict() == {"validation": 5, "test": 1}


def test_variants_of_both_naming_schemes_agree_with_the_genome(datasets, real_data):
    check = datasets.checks("yeast_gene_parts")["coordinates", None]
    assert check["value"] == 0
    records = 0
    for file in ("variants_sgd/RM11-1A.gatk.vcf", "variants_chrNumeric/W303.gatk.vcf"):
        lines = (real_data / "yeast_sacCer3_chain" / file).read_text().splitlines()
        records += sum(not line.startswith(("#", "chrM", "chrmt")) and bool(line.strip()) for line in lines)
    assert f"{records:,} records" in check["says"]


def test_near_duplicates_of_yeast_are_told_with_their_place(datasets):
    check = datasets.checks("yeast_gene_parts")["near_duplicates", "holdout"]
    assert check["value"] == pytest.approx(870 / 12_399)
    assert "subtelomeres" in check["says"]
    assert len(check["where"]) > 0
    assert check["where"][0]["name"] == "chrXVI:0-19600"
    assert check["where"][0]["remark"].startswith("subtelomere")
    assert sum(place["windows"] for place in check["where"]) == 870
