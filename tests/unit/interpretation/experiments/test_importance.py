import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toy import OUTPUTS, WORD, Toy
from word_models import pwm_of

from lociflow.command import UserError
from lociflow.formats import stamp
from lociflow.interpretation.checks.verdicts import CHECKS, FAIL, PASS
from lociflow.interpretation.experiments.importance import COLUMNS, measure_importance
from lociflow.interpretation.experiments.rows import corrected, pairs_of
from lociflow.interpretation.motifs.meme import Motif, read_meme, write_meme

CONFIG: dict[str, Any] = {
    "backgrounds": {"kind": "shuffled", "count": 24},
    "pairs": {"named": None, "motifs": 2, "backgrounds": 12, "gaps": [0, 6], "step": 3},
    "ablation": {"windows": 30, "p": 0.0001, "shuffles": 2},
    "maximise": {"starts": 3, "steps": 30, "learning_rate": 0.5, "penalty": 0.01, "width": 8},
    "intervals": {"draws": 100, "level": 0.95},
    "jaspar": {"release": "JASPAR2024", "collection": "CORE", "tax_group": "fungi"},
    "motifs": "mine.meme",
}
OTHER = "GCATGCAT"


def measured(
    toy: Toy, folder: Path, checks: Path | None = None, discovered: Sequence[Motif] = (), **changed: Any
) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    soft = {word: 0.97 * pwm_of(word) + 0.01 * (1 - pwm_of(word)) for word in (WORD, OTHER)}
    write_meme(folder / "mine.meme", [Motif(word, "", pwm, 10) for word, pwm in soft.items()])
    write_meme(folder / "found.meme", discovered)
    measure_importance(
        **toy._asdict(),
        discovered=folder / "found.meme",
        config={**CONFIG, **changed},
        importance=folder / "importance.json",
        table=folder / "importance.tsv",
        meme=folder / "maximised.meme",
        fasta=folder / "maximised.fasta",
        motif_file=folder / "mine.meme" if changed.get("motifs", "mine.meme") == "mine.meme" else None,
        checks=checks,
    )
    found: dict[str, Any] = json.loads((folder / "importance.json").read_text())
    return found


@pytest.fixture(scope="module")
def found(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("importance")
    return measured(toy, folder), folder


def row_of(rows: list[dict[str, Any]], motif: str, target: str) -> dict[str, Any]:
    (row,) = (row for row in rows if row["motif"] == motif and row["target"] == target)
    return row


def test_the_word_alone_raises_its_own_output(found: tuple[dict[str, Any], Path]) -> None:
    rows = found[0]["insertion"]
    own = row_of(rows, WORD, "Reb1")
    assert own["excess_low"] > 0.5
    assert own["q"] < 0.001
    assert abs(row_of(rows, OTHER, "Reb1")["excess"]) < own["excess_low"]
    # The model says nothing about the other target.
    assert row_of(rows, WORD, "Rap1")["effect"] == 0
    assert row_of(rows, WORD, "Rap1")["q"] == 1


def test_taking_the_word_out_costs_more_than_taking_out_as_much_elsewhere(found: tuple[dict[str, Any], Path]) -> None:
    own = row_of(found[0]["ablation"], WORD, "Reb1")
    assert own["windows"] == 30
    assert own["sequences"] == own["sites"] == 30
    assert own["effect_low"] > own["null_high"]


def test_the_most_wanted_sequence_holds_the_word(found: tuple[dict[str, Any], Path]) -> None:
    best = found[0]["maximised"][0]
    assert best["target"] == "Reb1"
    assert best["scores"] == sorted(best["scores"], reverse=True)
    assert min(best["scores"]) > max(best["begun"])
    text = (found[1] / "maximised.fasta").read_text()
    assert text.splitlines()[1].count(WORD) == 1
    (motif,) = read_meme(found[1] / "maximised.meme")
    assert "".join("ACGT"[base] for base in motif.pwm.argmax(axis=0)) == WORD
    # The other output answers nothing, so that no gradient comes from it.
    assert found[0]["maximised"][1]["reason"]


def test_the_table_holds_every_row(found: tuple[dict[str, Any], Path]) -> None:
    table = pd.read_csv(found[1] / "importance.tsv", sep="\t")
    assert tuple(table.columns) == COLUMNS
    # Two motifs and two targets; one pair in four orientations at three gaps.
    assert Counter(table["experiment"]) == {"insertion": 4, "pair": 24, "ablation": 4}
    assert table["p"].dropna().between(0, 1).all()


def test_a_rerun_gives_the_same_bytes(toy: Toy, found: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    measured(toy, tmp_path)
    for name in ("importance.json", "importance.tsv", "maximised.meme", "maximised.fasta"):
        assert (tmp_path / name).read_bytes() == (found[1] / name).read_bytes()


@pytest.mark.parametrize("verdict", [PASS, FAIL])
def test_discovered_motifs_of_an_explanation_that_failed_are_left_out_by_name(
    toy: Toy, tmp_path: Path, verdict: str
) -> None:
    checks = tmp_path / "checks.json"
    passed = {key: {"verdict": PASS} for key in CHECKS}
    checks.write_text(json.dumps({**stamp("explanation checks"), **passed, "deletion": {"verdict": verdict}}))
    found = measured(
        toy, tmp_path, checks, [Motif("Reb1.positive_0", "positive", pwm_of(WORD), 30)], motifs="discovered",
        maximise={**CONFIG["maximise"], "steps": 0},
    )  # fmt: skip
    asked = [motif["name"] for motif in found["motifs"]]
    left = [{"motif": "Reb1.positive_0", "reason": "the explanation behind it failed deletion"}]
    assert (asked, found["left_out"]) == ((["Reb1.positive_0"], []) if verdict == PASS else ([], left))


def test_motifs_of_the_targets_names_are_taken_where_no_file_is_named(toy: Toy, tmp_path: Path) -> None:
    few = {"pairs": {**CONFIG["pairs"], "motifs": 0}, "maximise": {**CONFIG["maximise"], "steps": 0}}
    known = measured(toy, tmp_path, motifs=None, backgrounds={"kind": "negatives", "count": 12}, **few)
    assert [motif["name"].upper() for motif in known["motifs"]] == [target.upper() for target in OUTPUTS.targets]
    assert known["pairs"] == []


def test_a_pair_of_unknown_motifs_is_refused(toy: Toy, tmp_path: Path) -> None:
    named = {**CONFIG["pairs"], "named": [[WORD, "Abf1"]]}
    with pytest.raises(UserError, match=f"importance.pairs.named: found Abf1, expected two of {WORD}, {OTHER}"):
        measured(toy, tmp_path, pairs=named)


def test_pairs_of_the_first_motifs_or_those_named() -> None:
    motifs = [Motif(name, "", np.full((4, 2), 0.25), 1) for name in "abc"]
    assert pairs_of(motifs, None, 2) == [(0, 1)]
    assert pairs_of(motifs, None, 9) == [(0, 1), (0, 2), (1, 2)]
    assert pairs_of(motifs, [["c", "a"], ["b", "b"]], 0) == [(2, 0), (1, 1)]


def test_q_is_over_all_rows_that_have_a_p() -> None:
    rows = corrected([{"p": 0.01}, {"p": None}, {"p": 0.02}])
    assert [row["q"] for row in rows] == [0.02, None, 0.02]
