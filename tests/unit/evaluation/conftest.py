import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from window_files import HOLDOUT, write_holdout

from lociflow.genome.window_table import split_digest
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

MOTIF = "ACGTGACC"
BIN = 50


@dataclass
class Dataset:
    """The files of a small data set, in which a bin is positive for target "motif" where the motif lies in it."""

    folder: Path
    store: SequenceStore
    windows: pd.DataFrame
    targets: np.ndarray
    names: list[str]

    @property
    def arguments(self) -> dict[str, Path | str]:
        files = {"windows": "windows.parquet", "targets": "targets.npy", "target_table": "targets.tsv"}
        return {**{name: self.folder / file for name, file in files.items()}, "split": HOLDOUT}

    @property
    def digest(self) -> str:
        return split_digest(self.folder / "windows.parquet", HOLDOUT)


def write_labels(dataset: Dataset) -> None:
    write_holdout(dataset.folder / "windows.parquet", dataset.windows)
    np.save(dataset.folder / "targets.npy", dataset.targets)
    pd.DataFrame({"target": dataset.names, "peaks": 1}).to_csv(dataset.folder / "targets.tsv", sep="\t", index=False)


@pytest.fixture(scope="session")
def make_dataset(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Dataset]:
    def make(bins_per_contig: int = 300) -> Dataset:
        folder = tmp_path_factory.mktemp("dataset")
        generator = np.random.Generator(np.random.Philox(3))
        contigs = {"a": "train", "b": "validation", "c": "test"}
        rows, labels, fasta = [], [], ""
        for contig, split in contigs.items():
            letters = generator.choice(list("ACGT"), bins_per_contig * BIN)
            positive = generator.random(bins_per_contig) < 0.25
            for number in np.flatnonzero(positive):
                letters[number * BIN + 20 : number * BIN + 28] = list(MOTIF)
            fasta += f">{contig}\n{''.join(letters)}\n"
            rows += [(contig, number * BIN, (number + 1) * BIN, split) for number in range(bins_per_contig)]
            labels.append(np.column_stack([positive, generator.random(bins_per_contig) < 0.1]))
        (folder / "genome.fa").write_text(fasta)
        write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "small")
        table = pd.DataFrame(rows, columns=["contig", "start", "end", "split"])
        windows = pd.DataFrame(
            {
                "contig": pd.Categorical(table["contig"], list("abc")),
                "start": table["start"],
                "end": table["end"],
                "strand": pd.Categorical(["."] * len(table)),
                "split": pd.Categorical(table["split"], ["train", "validation", "test"]),
                "group": pd.Categorical([None] * len(table), []),
            }
        )
        targets = np.concatenate(labels).astype(np.int8)
        targets[::40, 1] = -1
        dataset = Dataset(folder, open_store(folder / "store.json"), windows, targets, ["motif", "noise"])
        write_labels(dataset)
        return dataset

    return make


@pytest.fixture
def dataset(make_dataset: Callable[[], Dataset]) -> Dataset:
    return make_dataset()


@pytest.fixture
def read_metrics() -> Callable[[Path], dict]:
    return lambda path: json.loads(path.read_text())
