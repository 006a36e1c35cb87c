from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy import WORD, Toy

from lociflow.interpretation.attributions import Attributions, write_attributions
from lociflow.interpretation.motifs.hits import find_hits, q_values, scan_hits, used_above
from lociflow.interpretation.motifs.meme import Motif, write_meme
from lociflow.interpretation.motifs.table import motif_row, write_table
from lociflow.sequence.alphabet import decode, encode, reverse_complement
from lociflow.sequence.store import open_store

PWM = np.full((4, 8), 0.01)
PWM[encode(WORD).astype(int), range(8)] = 0.97


def test_q_values_by_hand() -> None:
    np.testing.assert_allclose(q_values(np.array([0.03, 0.001, 0.002]), 10), [0.1, 0.01, 0.01])
    assert q_values(np.array([0.5]), 10).tolist() == [1.0]


def test_hits_are_found_on_both_strands_at_their_starts() -> None:
    draws = np.random.default_rng(1)
    codes = draws.integers(0, 4, (3, 40)).astype(np.uint8)
    codes[0, 5:13] = encode(WORD)
    codes[2, 20:28] = reverse_complement(encode(WORD)[None])[0]
    found = find_hits(codes, PWM, 1e-4)
    assert found[["window", "start", "reverse"]].to_numpy().tolist() == [[0, 5, False], [2, 20, True]]
    # One word of 4 to the power of 8, give or take the scores' rounding.
    assert found["p"].to_numpy() == pytest.approx(4.0**-8, rel=0.5)
    assert found["q"].to_numpy() == pytest.approx(found["p"].to_numpy() * 3 * 33 * 2 / 2)


def test_a_place_that_is_a_hit_on_both_strands_is_one_hit() -> None:
    palindrome = np.full((4, 8), 0.01)
    palindrome[encode("ACGCGCGT").astype(int), range(8)] = 0.97
    codes = np.full((1, 30), 3, dtype=np.uint8)
    codes[0, 10:18] = encode("ACGCGCGT")
    assert find_hits(codes, palindrome, 1e-4)[["start", "reverse"]].to_numpy().tolist() == [[10, False]]


def test_windows_shorter_than_the_motif_have_no_hit() -> None:
    assert find_hits(np.zeros((2, 5), dtype=np.uint8), PWM, 1e-4).empty


def test_the_threshold_is_of_what_touches_no_hit() -> None:
    sums = np.array([[0.0, 50, 50, 50, 1, 2], [3, 4, 5, 6, 7, 8]])
    hits = pd.DataFrame({"window": [0], "start": [2]})
    expected = np.percentile([0, 1, 2, 3, 4, 5, 6, 7, 8], 95)
    assert used_above(sums, hits, 2) == expected
    assert np.isnan(used_above(sums[:1], hits, 9))


@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_what_the_model_uses_is_told_from_what_only_reads_like_the_motif(toy: Toy, tmp_path: Path, kind: str) -> None:
    store = open_store(toy.store)
    bins = np.arange(200, 300, 2)
    bins = bins[bins != 302]
    codes = np.stack([np.asarray(store.codes[index * 60 : (index + 1) * 60]) for index in bins])
    sign = 1 if kind == "positive" else -1
    hypothetical = np.random.default_rng(1).normal(0, 0.01, (len(bins), 4, 60)).astype(np.float32)
    places = [decode(window).index(WORD) for window in codes]
    # The model owes half of the windows to the word.
    for window in range(0, len(bins), 2):
        hypothetical[window, :, places[window] : places[window] + 8] += sign
    facts = {"targets": [{"target": "Reb1", "column": 0}]}
    write_attributions(tmp_path / "a.npz", Attributions(bins, np.zeros(len(bins)), codes, hypothetical, facts))
    motif = Motif(f"Reb1.{kind}_0", kind, PWM, 50)
    write_meme(tmp_path / "m.meme", [motif])
    write_table(tmp_path / "m.tsv", [motif_row(motif, "Reb1", kind)])
    arguments = (toy.store, toy.windows, tmp_path / "a.npz", tmp_path / "m.meme", tmp_path / "m.tsv", {})
    scan_hits(*arguments, tmp_path / "hits.bed", tmp_path / "hits.tsv")
    (row,) = pd.read_csv(tmp_path / "hits.tsv", sep="\t").to_dict("records")
    bed = pd.read_csv(tmp_path / "hits.bed", sep="\t")
    words = bed[bed["start"] == 60 * bed["bin"] + bed["bin"].map(dict(zip(bins, places, strict=True)))]
    assert len(words) == len(bins)
    assert words["used"].sum() == pytest.approx(len(bins) / 2, abs=3)
    assert words["used"].to_numpy()[::2].all()
    assert (row["windows"], row["hits"], row["used"]) == (len(bins), len(bed), bed["used"].sum())
    assert row["share_used"] == pytest.approx(row["used"] / row["hits"], rel=1e-4)
    assert row["hits_by_chance_at_most"] == pytest.approx(1e-4 * 2 * 53 * len(bins))
    for hit in bed.itertuples(index=False):
        bases = np.asarray(store.codes[hit.start : hit.end])[None]
        read = decode((reverse_complement(bases) if hit.strand == "-" else bases)[0])
        assert sum(one != other for one, other in zip(read, WORD, strict=True)) <= 1


def test_without_motifs_both_files_have_their_headers_alone(toy: Toy, tmp_path: Path) -> None:
    codes = np.zeros((1, 60), dtype=np.uint8)
    facts = {"targets": [{"target": "Reb1", "column": 0}]}
    empty = Attributions(np.zeros(1), np.zeros(1), codes, np.zeros((1, 4, 60)), facts)
    write_attributions(tmp_path / "a.npz", empty)
    write_meme(tmp_path / "m.meme", [])
    write_table(tmp_path / "m.tsv", [])
    arguments = (toy.store, toy.windows, tmp_path / "a.npz", tmp_path / "m.meme", tmp_path / "m.tsv", {})
    scan_hits(*arguments, tmp_path / "hits.bed", tmp_path / "hits.tsv")
    assert (tmp_path / "hits.bed").read_text().startswith("#contig\tstart\tend\tname")
    assert pd.read_csv(tmp_path / "hits.bed", sep="\t").empty
    assert pd.read_csv(tmp_path / "hits.tsv", sep="\t").empty


@pytest.mark.parametrize("word", ["TTACCCGT", "ACGTACGT"])
def test_chance_gives_at_most_as_many_hits_as_the_threshold_says(word: str) -> None:
    codes = np.random.default_rng(1).integers(0, 4, (200, 1000)).astype(np.uint8)
    pwm = np.full((4, 8), 0.01)
    pwm[encode(word).astype(int), range(8)] = 0.97
    places = 200 * 993
    most = 1e-3 * 2 * places
    found = len(find_hits(codes, pwm, 1e-3))
    # Of 65,536 words 25 are the word but for one base or less, so that p steps from 25/65,536 to more than 1e-3.
    once = places * (25 if word == "ACGTACGT" else 50) / 65536
    assert found == pytest.approx(once, rel=0.25)
    assert found < most
