from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from toy import BIN, WORD, Toy

from lociflow.command import UserError
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.prefixes import BACKWARD, FORWARD, lengths, mixtures, score_prefixes
from lociflow.sequence.alphabet import encode


def test_lengths_go_from_nothing_to_all() -> None:
    assert lengths(10, 4).tolist() == [0, 2, 5, 8, 10]
    assert lengths(3, 40).tolist() == [0, 1, 2, 3]


def test_mixtures_by_hand() -> None:
    window, shuffled = torch.ones(4, 3), torch.zeros(2, 4, 3)
    forward = mixtures(window, shuffled, np.array([0, 1, 3]), FORWARD)
    assert forward.shape == (3, 2, 4, 3)
    assert forward[:, 1, 2].tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 1]]
    assert mixtures(window, shuffled, np.array([1]), BACKWARD)[0, 0, 0].tolist() == [0, 0, 1]


def test_the_score_rises_where_the_word_is_read(toy: Toy, tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 4, (2, BIN)).astype(np.uint8)
    codes[1, 40:48] = encode(WORD)
    facts = {"targets": [{"target": "Reb1", "column": 0}]}
    write_attributions(
        tmp_path / "a.npz", Attributions(np.array([7, 8]), np.zeros(2), codes, np.zeros((2, 4, BIN)), facts)
    )
    for name in "ab":
        score_prefixes(toy.checkpoint, tmp_path / "a.npz", {"steps": 60}, tmp_path / f"{name}.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    table = pd.read_csv(tmp_path / "a.tsv", sep="\t")
    assert table["bin"].unique().tolist() == [8]
    curves = {direction: rows.set_index("read") for direction, rows in table.groupby("direction")}
    # The toy's logit is the number of bases that agree with the word: 8 once all of it is read.
    forward, backward = curves[FORWARD]["score"], curves[BACKWARD]["score"]
    assert len(forward) == len(backward) == 61
    assert (forward[48:] == 8).all()
    assert forward[:46].max() < 8
    assert (backward[20:] == 8).all()
    assert backward[:18].max() < 8
    assert forward[0] == backward[0]
    assert curves[FORWARD].loc[60, "deviation"] == 0


def test_unknown_keys_are_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"prefixes: .*'step'"):
        score_prefixes(toy.checkpoint, tmp_path / "a.npz", {"step": 1}, tmp_path / "t.tsv")
