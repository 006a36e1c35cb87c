from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

StoreOf = Callable[[Mapping[str, str]], SequenceStore]


@pytest.fixture
def store_of(tmp_path: Path) -> StoreOf:
    """Make a sequence store of contigs given as text."""

    def make(contigs: Mapping[str, str]) -> SequenceStore:
        folder = tmp_path / "store"
        folder.mkdir(exist_ok=True)
        fasta = folder / "genome.fa"
        fasta.write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
        write_store([fasta], folder / "codes.npy", folder / "store.json", "toy")
        return open_store(folder / "store.json")

    return make
