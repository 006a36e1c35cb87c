"""Small data sets for the tests of splits, leaks and similarity."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.genome.placement import place_windows
from lociflow.genome.regions import STRANDS, categorical
from lociflow.genome.split_data import SPLITS, SplitData
from lociflow.sequence.alphabet import reverse_complement
from lociflow.sequence.store import SequenceStore

LETTERS = 4


def memory_store(codes: Sequence[np.ndarray], names: Sequence[str] | None = None) -> SequenceStore:
    """A store that lies in memory."""
    lengths = np.array([len(contig) for contig in codes], dtype=np.int64)
    names = tuple(names) if names is not None else tuple(f"s{index}" for index in range(len(codes)))
    return SequenceStore(
        path=Path("store.json"),
        name="memory",
        names=names,
        lengths=lengths,
        offsets=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        md5=("",) * len(codes),
        codes=np.concatenate([np.asarray(contig, dtype=np.uint8) for contig in codes]),
        soft_mask=False,
        digest="",
    )


def bin_data(
    store: SequenceStore,
    contig: Sequence[int],
    start: Sequence[int],
    end: Sequence[int],
    *,
    labels: np.ndarray | None = None,
    kind: str = "binary",
    group: Sequence[str | None] | None = None,
    published: Sequence[str | None] | None = None,
    strand: Sequence[str] | None = None,
    shuffled: Sequence[bool] | None = None,
    length: int | None = None,
) -> SplitData:
    count = len(contig)
    windows = pd.DataFrame(
        {
            "contig": categorical(np.asarray(contig), store.names),
            "start": np.asarray(start, dtype=np.int64),
            "end": np.asarray(end, dtype=np.int64),
            "strand": pd.Categorical(["."] * count if strand is None else list(strand), categories=list(STRANDS)),
            "group": pd.Categorical([None] * count if group is None else list(group)),
            "published": pd.Categorical([None] * count if published is None else list(published), list(SPLITS)),
            "shuffled": np.zeros(count, dtype=bool) if shuffled is None else np.asarray(shuffled, dtype=bool),
        }
    )
    if labels is None:
        labels = np.zeros((count, 1), dtype=np.int8)
    length = int(windows["end"].iloc[0] - windows["start"].iloc[0]) if length is None else length
    return SplitData(windows, labels, kind, store, place_windows(windows, store), length)


def contig_data(contigs: Sequence[str], names: Sequence[str]) -> SplitData:
    """Bins of which only the contigs matter, ten bases each, one after the other."""
    store = memory_store([np.zeros(100, dtype=np.uint8) for _ in names], names)
    contig = [list(names).index(name) for name in contigs]
    start = [10 * contig[:index].count(code) for index, code in enumerate(contig)]
    return bin_data(store, contig, start, [first + 10 for first in start])


def sequence_data(sequences: Sequence[np.ndarray], **columns: object) -> SplitData:
    """One bin for each sequence, as a table without a genome gives."""
    store = memory_store(sequences)
    count = len(sequences)
    ends = [len(sequence) for sequence in sequences]
    length = columns.pop("length", max(ends))
    return bin_data(store, range(count), [0] * count, ends, length=length, **columns)


def random_codes(generator: np.random.Generator, count: int, length: int) -> np.ndarray:
    return generator.integers(0, LETTERS, (count, length), dtype=np.uint8)


def mutated(
    codes: np.ndarray, generator: np.random.Generator, rate: float, indels: float = 0.0, reverse: bool = False
) -> np.ndarray:
    """A copy with a fraction ``rate`` of its bases changed, of which ``indels`` by insertion or deletion.

    The copy is as long as the original: cut, or filled with random bases, at its end.
    """
    copy: list[int] = []
    for code in codes.tolist():
        if generator.random() >= rate:
            copy.append(code)
        elif generator.random() >= indels:
            copy.append((code + int(generator.integers(1, LETTERS))) % LETTERS)
        elif generator.random() < 0.5:
            copy += [code, int(generator.integers(0, LETTERS))]
    copy += generator.integers(0, LETTERS, max(0, len(codes) - len(copy))).tolist()
    changed = np.array(copy[: len(codes)], dtype=np.uint8)
    return reverse_complement(changed) if reverse else changed
