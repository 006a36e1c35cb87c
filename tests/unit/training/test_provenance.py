"""Which contigs a training has read, as its checkpoint tells them."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lociflow.sequence.encoding import encode_sources
from lociflow.sequence.store import SequenceStore, open_store
from lociflow.training import provenance
from lociflow.training.provenance import contigs_of


def md5(letters: str) -> str:
    return hashlib.md5(letters.encode(), usedforsecurity=False).hexdigest()


def store_of(folder: Path, **config: Any) -> SequenceStore:
    encode_sources(config, folder / "codes.npy", folder / "store.json", sources=folder, fasta=[folder / "g.fa"])
    return open_store(folder / "store.json")


def bins(*contigs: int) -> Any:
    return SimpleNamespace(place=SimpleNamespace(contig=np.array(contigs)))


@pytest.mark.parametrize("soft_mask", [False, True])
def test_a_contig_is_told_by_its_letters(tmp_path: Path, soft_mask: bool) -> None:
    (tmp_path / "g.fa").write_text(">one\nACGTNN\n>two\nacGG\n")
    genome = store_of(tmp_path, name="toy", soft_mask=soft_mask)
    assert contigs_of(genome, bins(1, 0, 1), np.array([0, 2])) == {md5("ACGG"): "two"}
    assert contigs_of(genome, bins(1, 0, 1), np.arange(3)) == {md5("ACGTNN"): "one", md5("ACGG"): "two"}


def test_a_sequence_of_a_table_is_told_as_a_contig_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("name,sequence\nb,ACGTNN\na,acgg\nc,T\n")
    table = store_of(tmp_path, name="toy", sequences={"table": [{"file": "t.csv"}]})
    assert contigs_of(table, bins(0, 1, 2), np.array([1, 0])) == {md5("ACGTNN"): "b", md5("ACGG"): "a"}
    monkeypatch.setattr(provenance, "MOST_CONTIGS", 1)
    assert contigs_of(table, bins(0, 1, 2), np.array([1, 0])) == 2
