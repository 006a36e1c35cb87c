"""Sequence stores of contigs given as text."""

from collections.abc import Callable, Mapping
from pathlib import Path

from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

StoreOf = Callable[[Mapping[str, str]], SequenceStore]


def make_store(folder: Path, contigs: Mapping[str, str]) -> SequenceStore:
    """Write a store into a folder and open it."""
    folder.mkdir(exist_ok=True)
    (folder / "genome.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
    write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "toy")
    return open_store(folder / "store.json")
