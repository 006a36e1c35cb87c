import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from word_models import pwm_of

from lociflow.command import write_json
from lociflow.formats import stamp
from lociflow.report.importance import MOST_CURVES, motif_experiments, shown_pairs
from lociflow.report.page import Provenance, render
from lociflow.report.read_results import read_results

PROVENANCE = Provenance({"python": "3.11.7"}, "abc123", ("snakemake --cores all",))
MOTIFS = ("CTCF", "GATA1", "JUN")
RULE = {"factor": "GATA1", "partner": "CTCF", "gap": [4, 8], "orientation": "same"}


def effect(name: str, value: float) -> dict[str, float]:
    return {name: value, f"{name}_low": value - 0.2, f"{name}_high": value + 0.2}


def inserted(motif: str, target: str, value: float) -> dict[str, Any]:
    parts = {**effect("effect", value + 0.1), **effect("null", 0.1), **effect("excess", value)}
    return {"motif": motif, "target": target, "sequences": 100, **parts, "p": 0.001, "q": 0.001 if value else 0.9}


def paired(pair: tuple[str, str], strands: str, gap: int, value: float) -> dict[str, Any]:
    names = {"motif": pair[0], "second": pair[1], "orientation": strands, "gap": gap, "target": "GATA1"}
    return {**names, "sequences": 50, **effect("effect", value), "p": 0.01, "q": 0.01 if value else 1.0}


def answers(**changed: Any) -> dict[str, Any]:
    pairs = list(itertools.combinations(MOTIFS, 2))
    return {
        **stamp("importance"),
        "model": "toy",
        "targets": list(MOTIFS),
        "motifs": [{"name": name} for name in MOTIFS],
        "left_out": [{"motif": "long", "reason": "300 bases do not fit into windows of 200"}],
        "insertion": [inserted(one, other, 3.0 * (one == other)) for one, other in itertools.product(MOTIFS, MOTIFS)],
        "pairs": [
            paired(pair, strands, gap, 1.5 * (pair == ("CTCF", "GATA1") and strands == "++" and 4 <= gap <= 8))
            for pair, strands, gap in itertools.product(pairs, ("++", "+-", "-+", "--"), range(0, 13, 2))
        ],
        "rules": [
            {
                "motif": "CTCF", "second": "GATA1", "target": "GATA1", "verdict": "recovered",
                "within": {"mean": 1.5, "low": 1.3, "high": 1.7}, "other_gaps": {"mean": 0.0, "low": -0.1, "high": 0.1},
                "other_orientations": None, "difference": None,
            }
        ],
        "rule": RULE,
        "ablation": [
            *({**inserted(one, one, 2.0), "windows": 100, "sites": 80, "sequences": 70} for one in MOTIFS[:2]),
            {"motif": "JUN", "target": "JUN", "sequences": 0, **dict.fromkeys(("effect", "null", "excess", "p", "q"))},
        ],
        "maximised": [
            {
                "target": "CTCF", "positives": 1.25, "reason": None, "scores": [9.5, 9.0],
                "pwm": pwm_of("CCAGTAGG").tolist(),
            },
            {"target": "JUN", "positives": None, "reason": "no gradient reaches the sequence"},
        ],
        **changed,
    }  # fmt: skip


@pytest.fixture
def asked(simulated: Any, tmp_path: Path) -> Any:
    decoys = {decoy: {"auroc": 0.8, "low": 0.7, "high": 0.9} for decoy in ("inverted", "distant", "lone")}
    write_json(tmp_path / "importance.json", answers())
    entry = simulated.manifest["datasets"][0]["entries"][1]
    metrics = Path(entry["metrics"])
    write_json(metrics, {**json.loads(metrics.read_text()), "spacing": decoys})
    entry |= {"importance": str(tmp_path / "importance.json")}
    return simulated


def test_the_page_has_the_section(asked: Any) -> None:
    text = render(read_results(asked.manifest), PROVENANCE)
    (section,) = re.findall(r'<section id="importance".*?</section>', text, re.DOTALL)
    for part in ("insertion", "pairs", "ablation"):
        assert f'data-name="simulated/importance-deepsea_small-seed1-{part}"' in section
    assert "recovered" in section
    assert "1.30 to 1.70" in section
    assert "interaction not 0 at 3 of 84 places" in section
    assert "no gradient reaches the sequence" in section
    assert "long (300 bases do not fit into windows of 200)" in section
    assert '<a href="#importance">' in text


def test_without_experiments_there_is_none(simulated: Any) -> None:
    assert 'id="importance"' not in render(read_results(simulated.manifest), PROVENANCE)


def test_text_alternatives_hold_the_numbers(asked: Any) -> None:
    (found,) = motif_experiments(read_results(asked.manifest).datasets[0])
    assert "CTCF on CTCF +3.00" in found.insertion.svg
    assert found.curves is not None
    assert "largest interaction +1.50 at gap 4, orientation → →; not 0 at 3 of 28 places" in found.curves.svg
    assert found.ablation is not None
    assert "CTCF in 70 windows of CTCF +2.10, elsewhere +0.10" in found.ablation.svg
    assert [row["target"] for row in found.strongest] == list(MOTIFS)


def test_curves_are_of_planted_pairs_and_of_those_that_interact() -> None:
    rows = [
        paired((first, second), "++", 2, value)
        for first, second, value in (("a", "b", 0.0), ("c", "d", 1.0), ("e", "f", 2.0), ("g", "h", 0.0))
    ]
    rule = {"motif": "a", "second": "b", "target": "GATA1"}
    assert [key[0] for key in shown_pairs(rows, [rule])] == ["a", "e", "c"]
    many = [paired((f"m{number}", "x"), "++", 2, 1.0 + number) for number in range(9)]
    assert [key[0] for key in shown_pairs(many, [])] == ["m8", "m7", "m6", "m5"]
    assert MOST_CURVES == 4
