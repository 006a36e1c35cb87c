from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from toy import WORD, Toy
from window_files import write_holdout

from lociflow.command import UserError
from lociflow.genome.window_table import read_windows
from lociflow.interpretation.motifs.filter_influence import Score
from lociflow.interpretation.motifs.filters import (
    FilterConfig,
    extract_filters,
    find_sites,
    first_convolution,
    motifs_of,
)
from lociflow.interpretation.motifs.meme import consensus, read_meme
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import encode


def convolution(*words: str, bias: float = 0.0, **arguments: int) -> nn.Conv1d:
    """A filter a word: 1 where its base stands, so that its activation is the number of bases that agree."""
    made = nn.Conv1d(4, len(words), len(words[0]), **arguments)
    with torch.no_grad():
        made.weight.zero_()
        made.bias.fill_(bias)
        for channel, word in enumerate(words):
            for position, base in enumerate(encode(word)):
                made.weight[channel, int(base), position] = 1
    return made


def test_counts_by_hand() -> None:
    codes = np.stack([encode("ACGTTACG"), encode("TTTACCTT")])
    found = find_sites(convolution("ACG"), codes, threshold=0.5)
    # Agreement above 1.5: ACG twice and ACC.
    assert found.maximum.tolist() == [3]
    assert found.support.tolist() == [3]
    assert found.counts[0].tolist() == [[3, 0, 0], [0, 3, 1], [0, 0, 2], [0, 0, 0]]


def test_padding_and_stride_of_the_layer_change_nothing() -> None:
    codes = np.random.default_rng(1).integers(0, 4, (300, 30)).astype(np.uint8)
    plain = find_sites(convolution("ACGT", "TTAC"), codes, 0.5)
    padded = find_sites(convolution("ACGT", "TTAC", padding=2, stride=3), codes, 0.5)
    for one, other in zip(plain, padded, strict=True):
        np.testing.assert_array_equal(one, other)


def test_dilated_filters_show_the_bases_between() -> None:
    codes = np.stack([encode("TACGTT"), encode("TATGTT"), encode("TAAGTT")])
    found = find_sites(convolution("AG", dilation=2), codes, 0.5)
    assert found.support.tolist() == [3]
    assert found.counts[0].tolist() == [[3, 1, 0], [0, 1, 0], [0, 0, 3], [0, 1, 0]]


def test_a_planted_filter_comes_back() -> None:
    draws = np.random.default_rng(1)
    probabilities = np.array([0.85, 0.05, 0.05, 0.05])
    pwm = np.stack([np.roll(probabilities, shift) for shift in (3, 3, 0, 1, 1, 1, 2, 3, 0, 0)], axis=1)
    codes = draws.integers(0, 4, (2000, 60)).astype(np.uint8)
    sites = np.stack([draws.choice(4, size=2000, p=column) for column in pwm.T], axis=1)
    codes[:, 25:35] = sites
    planted = nn.Conv1d(4, 1, 10)
    with torch.no_grad():
        planted.weight[0] = torch.from_numpy(np.log(pwm / 0.25)).float()
        planted.bias.zero_()
    motif = motifs_of(find_sites(planted, codes, 0.5), FilterConfig())[0]
    assert motif.name == "filter_0"
    assert consensus(motif.pwm) == "TTACCCGTAA"
    assert np.abs(motif.pwm - pwm).max() < 0.1


def test_silent_rare_and_flat_filters_are_left_out() -> None:
    codes = np.random.default_rng(1).integers(0, 4, (50, 40)).astype(np.uint8)
    codes[:20, 5:13] = encode("ACGTACGT")
    made = convolution("ACGTACGT", "ACGTACGT", "ACGTACGT")
    with torch.no_grad():
        made.bias.copy_(torch.tensor([-9.0, -5.0, 0.0]))
        made.weight[2] = 0.125
    found = find_sites(made, codes, 0.5)
    assert found.maximum[0] <= 0
    assert found.support[0] == 0
    assert 1 <= found.support[1] < found.support[2]
    names = [motif.name for motif in motifs_of(found, FilterConfig(min_sites=1))]
    assert names == ["filter_1"]
    assert motifs_of(found, FilterConfig(min_sites=int(found.support[1]) + 1)) == []


def test_first_convolution_reads_the_bases() -> None:
    inner = nn.Conv1d(4, 8, 5)
    assert first_convolution(nn.Sequential(nn.Conv1d(1, 4, 1), inner, nn.Conv1d(4, 8, 3))) is inner
    assert first_convolution(nn.Linear(4, 2)) is None


def test_first_convolution_has_batch_norm_folded_in() -> None:
    convolution, norm = nn.Conv1d(4, 3, 5, bias=False), nn.BatchNorm1d(3)
    norm.running_mean, norm.running_var = torch.tensor([0.1, -0.2, 0.3]), torch.tensor([1.0, 4.0, 0.25])
    norm.bias.data.fill_(-2.0)
    block = nn.Sequential(convolution, norm).eval()
    folded = first_convolution(block)
    assert folded is not None
    sequence = torch.randn(2, 4, 9)
    torch.testing.assert_close(folded(sequence), block(sequence))
    assert convolution.bias is None


def test_writes_the_filters_of_a_checkpoint(toy: Toy, tmp_path: Path) -> None:
    arguments = {name: getattr(toy, name) for name in ("store", "windows", "targets", "target_table", "checkpoint")}
    for name in "ab":
        extract_filters(
            **arguments, config={"threshold": 0.9}, meme=tmp_path / f"{name}.meme", table=tmp_path / f"{name}.tsv"
        )
    motifs = read_meme(tmp_path / "a.meme")
    assert [(motif.name, motif.alternate) for motif in motifs] == [("filter_0", "filter")]
    table = pd.read_csv(tmp_path / "a.tsv", sep="\t", keep_default_na=False)
    assert table.loc[0, ["motif", "target", "kind", "consensus"]].tolist() == ["filter_0", "", "filter", WORD]
    # Every other of the 200 test windows holds the word; the genome itself may hold a few more.
    assert 100 <= table.loc[0, "support"] <= 105
    # Only the first filter reaches an output, that of Reb1, whose positives its maximum tells apart.
    assert table["motif"].tolist() == [f"filter_{channel}" for channel in range(4)]
    assert table["consensus"].tolist()[1:] == [""] * 3
    assert (table.loc[1:, ["influence", "score_change", "influence:Reb1"]].to_numpy() == 0).all()
    assert table.loc[0, "influence"] == pytest.approx(table.loc[0, "influence:Reb1"] / 2, abs=1e-4)
    assert table.loc[0, "influence:Reb1"] > 1
    assert table.loc[0, "influence:Rap1"] == 0
    # Reb1's AUROC falls from nearly 1 to 0.5; Rap1's, of equal outputs, stays 0.5.
    assert 0.2 < table.loc[0, "score_change"] <= 0.25
    for suffix in ("meme", "tsv"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_the_filters_of_a_model_of_some_targets_are_scored_on_these(toy_of_one: Toy, tmp_path: Path) -> None:
    extract_filters(**toy_of_one._asdict(), config={}, meme=tmp_path / "a.meme", table=tmp_path / "a.tsv")
    table = pd.read_csv(tmp_path / "a.tsv", sep="\t")
    assert [name for name in table if name.startswith("influence:")] == ["influence:Reb1"]
    assert 0.4 < table.loc[0, "score_change"] <= 0.5


def test_labels_change_places_where_windows_are_read_from_the_other_strand(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []

    def record(outputs: Outputs, labels: np.ndarray) -> Score:
        seen.append(labels)
        return lambda scalars: None

    windows = tmp_path / "windows.parquet"
    frame = read_windows(toy.windows)
    strand = np.where(np.arange(len(frame)) % 3 == 0, "-", "+")
    split = np.where(np.arange(len(frame)) < 200, "train", "test")
    write_holdout(windows, frame.assign(strand=strand, split=split))
    monkeypatch.setattr("lociflow.interpretation.motifs.filters.scorer", record)
    monkeypatch.setattr(
        "lociflow.interpretation.motifs.filters.about_windows", lambda path: {"labels": {"reverse": [1, 0]}}
    )
    extract_filters(
        **toy._replace(windows=windows)._asdict(), config={}, meme=tmp_path / "a.meme", table=tmp_path / "a.tsv"
    )
    labels = np.load(toy.targets)[200:]
    expected = np.where((strand[200:] == "-")[:, None], labels[:, ::-1], labels)
    np.testing.assert_array_equal(seen[0], expected)


def test_refuses_unknown_keys(toy: Toy, tmp_path: Path) -> None:
    arguments = {name: getattr(toy, name) for name in ("store", "windows", "targets", "target_table", "checkpoint")}
    with pytest.raises(UserError, match=r"filters: .*'window'"):
        extract_filters(**arguments, config={"window": 1}, meme=tmp_path / "a.meme", table=tmp_path / "a.tsv")


def test_a_model_without_convolutions_has_no_filters(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lociflow.interpretation.motifs.filters.first_convolution", lambda model: None)
    meme, table = tmp_path / "a.meme", tmp_path / "a.tsv"
    extract_filters(toy.store, toy.windows, toy.targets, toy.target_table, toy.checkpoint, {}, meme, table)
    assert read_meme(meme) == []
    assert pd.read_csv(table, sep="\t").empty
