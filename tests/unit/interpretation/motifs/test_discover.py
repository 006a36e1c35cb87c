from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.motifs import discover as motifs
from lociflow.interpretation.motifs.discover import (
    MotifConfig,
    central,
    centred,
    discover_motifs,
    find_patterns,
    without_silence,
)
from lociflow.interpretation.motifs.meme import consensus, read_meme
from lociflow.interpretation.warm import planted_contributions
from lociflow.sequence.alphabet import encode

HEADER = "motif\ttarget\tkind\tsupport\tinformation_bits\tconsensus\n"


def write(path: Path, parts: list[tuple[str, np.ndarray, np.ndarray]]) -> None:
    sizes = [len(codes) for _, codes, _ in parts]
    facts = [{"target": name, "column": column} for column, (name, _, _) in enumerate(parts)]
    write_attributions(
        path,
        Attributions(
            np.arange(sum(sizes)) + 1000,
            np.repeat(np.arange(len(parts)), sizes),
            np.concatenate([codes for _, codes, _ in parts]),
            np.concatenate([hypothetical for _, _, hypothetical in parts]),
            {"targets": facts},
        ),
    )


def run(folder: Path, name: str, **config: int) -> tuple[Path, Path, Path]:
    outputs = (folder / f"{name}.h5", folder / f"{name}.meme", folder / f"{name}.tsv")
    discover_motifs(folder / "attributions.npz", config, *outputs)
    return outputs


@pytest.mark.slow
def test_planted_words_come_back_with_their_signs_and_the_same_bytes(tmp_path: Path) -> None:
    planted = planted_contributions(windows=160, length=200)
    noise = np.random.default_rng(2).normal(0, 0.02, planted[1].shape).astype(np.float32)
    write(tmp_path / "attributions.npz", [("Reb 1/a", *planted), ("none", planted[0], noise)])
    modisco, meme, table = run(tmp_path, "first")
    motifs = read_meme(meme)
    rows = pd.read_csv(table, sep="\t")
    assert rows["motif"].tolist() == [motif.name for motif in motifs]
    assert rows["kind"].tolist() == [motif.alternate for motif in motifs]
    rows = rows[rows["motif"].isin(["Reb_1/a.positive_0", "Reb_1/a.negative_0"])].reset_index(drop=True)
    assert rows["target"].tolist() == ["Reb 1/a", "Reb 1/a"]
    assert rows["kind"].tolist() == ["positive", "negative"]
    by_name = {motif.name: motif for motif in motifs}
    for word, sign in (("TTACCCGT", "positive"), ("GATAAGCA", "negative")):
        found = by_name[f"Reb_1/a.{sign}_0"]
        pwms = [found.pwm, found.pwm[::-1, ::-1]]
        bases = encode(word)
        assert any(pwm.shape[1] == 8 and (pwm.argmax(axis=0) == bases).all() for pwm in pwms)
    assert (rows["support"] > 30).all()
    assert (rows["information_bits"] > 8).all()
    with h5py.File(modisco) as file:
        group = file["target_0"]
        pattern = group["pos_patterns/pattern_0"]
        assert int(pattern["seqlets/n_seqlets"][0]) == rows["support"][0]
        example, start = pattern["seqlets/example_idx"][0], pattern["seqlets/start"][0]
        assert group["bin"][example] == 1000 + example
        assert 0 <= start + group.attrs["region_start"] < 200
    again = run(tmp_path, "second")
    for one, other in zip((modisco, meme, table), again, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_no_motif_is_a_result(tmp_path: Path, scale: float) -> None:
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (12, 60)).astype(np.uint8)
    write(tmp_path / "attributions.npz", [("Reb1", codes, (scale * draws.normal(size=(12, 4, 60))).astype(np.float32))])
    modisco, meme, table = run(tmp_path, "found")
    assert read_meme(meme) == []
    assert table.read_text() == HEADER
    with h5py.File(modisco) as file:
        assert len(file["target_0/pos_patterns"]) == len(file["target_0/neg_patterns"]) == 0


def test_targets_whose_names_hold_a_slash_and_those_that_hold_none_are_apart(tmp_path: Path) -> None:
    codes = np.zeros((2, 60), np.uint8)
    nothing = np.zeros((2, 4, 60), np.float32)
    write(tmp_path / "attributions.npz", [("A/B", codes, nothing), ("A_B", codes, nothing)])
    modisco, _, _ = run(tmp_path, "found")
    with h5py.File(modisco) as file:
        assert [group.attrs["target"] for group in file.values()] == ["A/B", "A_B"]


@pytest.mark.parametrize(("windows", "length"), [(0, 60), (1, 60), (2, 60), (30, 20), (30, 26), (3, 400)])
def test_few_or_short_windows_have_no_motif(windows: int, length: int) -> None:
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (windows, length)).astype(np.uint8)
    hypothetical = draws.normal(size=(windows, 4, length)).astype(np.float32)
    assert find_patterns(codes, hypothetical, MotifConfig()) == ([], [])


def test_contributions_that_are_never_positive_have_no_motif() -> None:
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (30, 100)).astype(np.uint8)
    assert find_patterns(codes, -draws.random((30, 4, 100)).astype(np.float32), MotifConfig()) == ([], [])


@pytest.mark.parametrize(
    "words", [{"TTACCCGT": 1.0}, pytest.param({"TTACCCGT": 1.0, "GATAAGCA": -1.0}, marks=pytest.mark.slow)]
)
def test_contributions_without_signs_have_the_planted_motifs_and_no_negative_ones(words: dict[str, float]) -> None:
    codes, hypothetical = planted_contributions(windows=120, length=200, words=words)
    found = find_patterns(codes, np.abs(hypothetical), MotifConfig())
    assert found.negative == []
    pwms = [motif.pwm for motif in motifs.motifs_of(found.positive, "Reb1", "positive", 0.5)]
    for word in words:
        assert any(consensus(strand) == word for pwm in pwms for strand in (pwm, pwm[::-1, ::-1]))


@pytest.mark.slow
def test_noise_without_signs_has_no_motif() -> None:
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (120, 200)).astype(np.uint8)
    noise = np.abs(draws.normal(0, 0.02, (120, 4, 200))).astype(np.float32)
    assert find_patterns(codes, noise, MotifConfig()) == ([], [])


def test_contributions_without_signs_are_less_what_the_median_stretch_has() -> None:
    contributions = np.tile(np.array([1, 1, 1, 1, 3, 9], np.float32), (1, 4, 1))
    # Stretches of two bases have 1, 1, 1, 2 and 6 a base.
    assert centred(np.zeros((1, 6), np.uint8), contributions, 2)[0, 2].tolist() == [0, 0, 0, 0, 2, 8]
    assert centred(np.zeros((1, 6), np.uint8), contributions, 7) is contributions


def test_silent_bases_get_a_trace_that_is_always_the_same() -> None:
    contributions = np.zeros((2, 3, 4), np.float32)
    contributions[0, 1] = [0, -2, 0, 1]
    filled = without_silence(contributions)
    assert filled.dtype == np.float32
    assert filled[0, 1].tolist() == [0, -2, 0, 1]
    trace = filled[contributions.any(axis=2) == 0]
    assert (trace != 0).all()
    assert np.abs(trace).max() < 1e-5
    np.testing.assert_array_equal(without_silence(contributions), filled)


def test_seqlets_that_cannot_be_compared_where_a_network_is_silent_are_compared_with_a_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes, hypothetical = planted_contributions(windows=60, length=60)
    hypothetical[:, :, :5] = 0
    tried = []

    def cluster(windows: np.ndarray, contributions: np.ndarray, **settings: int) -> tuple[None, None]:
        # As modisco-lite does where two seqlets are nothing but zeros.
        tried.append(contributions)
        if not contributions.any(axis=2).all():
            raise ValueError("Input contains NaN.")
        return None, None

    monkeypatch.setattr(motifs, "TFMoDISco", cluster)
    assert find_patterns(codes, hypothetical, MotifConfig()) == ([], [])
    assert len(tried) == 2
    np.testing.assert_array_equal(tried[0][:, 5:], tried[1][:, 5:])

    def fail(*_: np.ndarray, **settings: int) -> None:
        raise ValueError("another one")

    monkeypatch.setattr(motifs, "TFMoDISco", fail)
    with pytest.raises(ValueError, match="another one"):
        find_patterns(codes, hypothetical, MotifConfig())


def test_central_region() -> None:
    assert central(256, 400) == slice(0, 256)
    assert central(1000, 400) == slice(300, 700)
    assert central(11, 4) == slice(3, 7)


def test_unknown_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"motifs: .*'n_leiden'"):
        discover_motifs(tmp_path / "a", {"n_leiden": 2}, tmp_path / "b", tmp_path / "c", tmp_path / "d")
