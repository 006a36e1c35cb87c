from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.genome import whole_sequences as module
from lociflow.genome.placement import place_windows, window_codes
from lociflow.genome.regions import empty_regions
from lociflow.genome.whole_sequences import cropped_and_padded, unknown_residues, whole_sequences
from lociflow.genome.windows import Bins
from lociflow.sequence.alphabet import decode
from lociflow.sequence.encoding import encode_sources
from lociflow.sequence.store import SequenceStore, open_store

TEXT = ">a\nACGT\n>b\nGNnTCA\n>c\nA\n"


def encode(folder: Path, text: str = TEXT, alphabet: str = "dna") -> SequenceStore:
    (folder / "t.fa").write_text(text)
    encode_sources(
        {"name": "toy", "sequences": {"fasta": [{"file": "t.fa"}], "alphabet": alphabet, "soft_mask": True}},
        folder / "codes.npy",
        folder / "store.json",
        sources=folder,
    )
    return open_store(folder / "store.json")


def make(store: SequenceStore, **settings: Any) -> Bins:
    return whole_sequences(store, empty_regions(), empty_regions(), **{"length": 4, **settings})


def test_a_bin_is_a_sequence(tmp_path: Path) -> None:
    bins = make(encode(tmp_path))
    assert bins.table["contig"].tolist() == ["a", "b", "c"]
    assert bins.table["start"].tolist() == [0, 0, 0]
    assert bins.table["end"].tolist() == [4, 6, 1]
    assert set(bins.table["strand"]) == {"."}
    assert (bins.made, bins.dropped, bins.background) == (3, {"n": 0}, 0)


@pytest.mark.parametrize(
    ("anchor", "windows"),
    [
        ("centre", ["ACGT", "NnTC", "NNAN"]),
        ("start", ["ACGT", "GNnT", "ANNN"]),
        ("end", ["ACGT", "nTCA", "NNNA"]),
    ],
)
def test_the_anchor_says_what_is_cut_and_padded(tmp_path: Path, anchor: str, windows: list[str]) -> None:
    store = encode(tmp_path)
    place = place_windows(make(store, anchor=anchor).table, store)
    assert [decode(row) for row in window_codes(store, place, np.arange(3), 4)] == windows


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 9])
def test_the_kept_end_stays_at_its_place_whatever_the_length(tmp_path: Path, length: int) -> None:
    store = encode(tmp_path)
    sequences = ["ACGT", "GNnTCA", "A"]
    for anchor, expected in (
        ("start", [text[:length].ljust(length, "N") for text in sequences]),
        ("end", [text[-length:].rjust(length, "N") for text in sequences]),
    ):
        place = place_windows(make(store, length=length, anchor=anchor).table, store)
        assert [decode(row) for row in window_codes(store, place, np.arange(3), length)] == expected


def test_sequences_rich_in_n_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = encode(tmp_path)
    monkeypatch.setattr(module, "BLOCK", 3)
    assert unknown_residues(store).tolist() == [0, 2, 0]
    bins = make(store, max_n=0.2)
    assert bins.table["contig"].tolist() == ["a", "c"]
    assert (bins.made, bins.dropped) == (3, {"n": 1})
    assert len(make(store, max_n=0.34).table) == 3


def test_cropped_and_padded_are_counted() -> None:
    assert cropped_and_padded(np.array([4, 6, 1, 2]), 4) == {"cropped": 1, "padded": 2, "whole": 1}


@pytest.mark.parametrize("alphabet", ["rna", "protein"])
def test_rna_and_proteins_have_one_strand(tmp_path: Path, alphabet: str) -> None:
    assert set(make(encode(tmp_path), stranded=True).table["strand"]) == {"+"}
    assert set(make(encode(tmp_path, ">a\nAC\n", alphabet)).table["strand"]) == {"+"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"length": 0}, "windows.length: found 0"),
        ({"anchor": "center"}, "windows.anchor: found 'center', expected one of centre, start, end"),
        ({"max_n": 2}, "windows.max_n: found 2"),
    ],
)
def test_bad_settings_are_refused(tmp_path: Path, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make(encode(tmp_path), **settings)
