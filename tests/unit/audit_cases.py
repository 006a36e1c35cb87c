"""Small data sets for tests of the audit: a clean one, and the ways to plant a fault in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.audit.dataset import examine
from lociflow.audit.subject import Subject
from lociflow.genome.window_table import write_windows
from lociflow.sequence.alphabet import decode
from lociflow.sequence.genome_store import write_store

BIN = 200
TILES = 150
SIDES = {"chrA": "train", "chrB": "train", "chrC": "validation", "chrD": "test"}


@dataclass
class Case:
    """A genome cut into bins; ``codes`` may be changed before it is written."""

    codes: dict[str, np.ndarray]
    bins: list[tuple[str, int, int]]
    labels: np.ndarray
    splits: dict[str, list[str | None]]
    groups: list[str | None] | None = None
    kind: str = "binary"
    classes: list[list[str]] | None = None
    names: list[str] = field(default_factory=lambda: ["factor"])
    config: dict[str, Any] = field(default_factory=lambda: {"name": "toy", "windows": {"length": BIN}})
    counts: dict[str, Any] | None = None
    variants: list[Path] = field(default_factory=list)

    def window(self, number: int) -> np.ndarray:
        """Return the codes of a bin, to be read and written."""
        contig, start, end = self.bins[number]
        return self.codes[contig][start:end]

    def on(self, side: str, split: str = "holdout") -> np.ndarray:
        return np.flatnonzero(np.array(self.splits[split], object) == side)

    def write(self, folder: Path) -> dict[str, Path]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "genome.fa").write_text("".join(f">{name}\n{decode(codes)}\n" for name, codes in self.codes.items()))
        write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "toy", soft_mask=True)
        contig, start, end = zip(*self.bins, strict=True)
        bins = len(self.bins)
        table = pd.DataFrame(
            {
                "contig": pd.Categorical(contig, categories=list(self.codes)),
                "start": np.array(start, np.int64),
                "end": np.array(end, np.int64),
                "strand": pd.Categorical(["."] * bins, categories=[".", "+", "-"]),
                "group": pd.Categorical(self.groups if self.groups is not None else [None] * bins),
                "shuffled": np.zeros(bins, bool),
                "shuffle_seed": np.zeros(bins, np.int64),
            }
        )
        for name, sides in self.splits.items():
            table[f"split:{name}"] = pd.Categorical(sides, categories=["train", "validation", "test"])
        labels = {"kind": self.kind, "classes": self.classes, "reverse": None, "stranded": False}
        about = {"genome": "toy", "genome_digest": "", "windows_digest": "", "anchor": "centre", "labels": labels}
        write_windows(folder / "windows.parquet", table, about)
        np.save(folder / "targets.npy", self.labels)
        (folder / "targets.tsv").write_text("target\n" + "".join(f"{name}\n" for name in self.names))
        files = {
            "store": folder / "store.json",
            "windows": folder / "windows.parquet",
            "targets": folder / "targets.npy",
            "target_table": folder / "targets.tsv",
        }
        return files

    def subject(self, folder: Path) -> Subject:
        return Subject(**self.write(folder), config=self.config)

    def audit(self, folder: Path) -> "Audit":
        found = examine(self.subject(folder), self.counts, self.variants)
        return Audit(json.loads(json.dumps(found.result, allow_nan=False)), found.similarity)


@dataclass
class Audit:
    """What an audit has found."""

    json: dict[str, Any]
    similarity: dict[str, pd.DataFrame]

    def check(self, name: str, split: str | None = "holdout") -> dict[str, Any]:
        (found,) = [c for c in self.json["checks"] if c["check"] == name and c["split"] in (split, None)]
        return found

    def verdict(self, name: str, split: str | None = "holdout") -> str:
        return str(self.check(name, split)["verdict"])

    def not_passed(self) -> set[str]:
        return {c["check"] for c in self.json["checks"] if c["verdict"] != "pass"}


def clean_case(seed: int = 1, tiles: int = TILES) -> Case:
    """Tiles of four random contigs, each other one positive; each contig is on one side."""
    draws = np.random.default_rng(seed)
    codes = {name: draws.integers(0, 4, tiles * BIN).astype(np.uint8) for name in SIDES}
    bins = [(name, tile * BIN, (tile + 1) * BIN) for name in SIDES for tile in range(tiles)]
    labels = (draws.random((len(bins), 1)) < 0.4).astype(np.int8)
    return Case(codes, bins, labels, {"holdout": [SIDES[name] for name, _, _ in bins]})


def table_case(sequences: Sequence[np.ndarray], labels: np.ndarray, sides: Sequence[str]) -> Case:
    """One bin for each of some labelled sequences, which lie on no genome."""
    codes = {f"s{number}": np.asarray(part, np.uint8) for number, part in enumerate(sequences)}
    bins = [(name, 0, len(part)) for name, part in codes.items()]
    longest = max(len(part) for part in codes.values())
    config = {"windows": {"length": longest}, "sequences": {"alphabet": "dna"}}
    return Case(codes, bins, labels.reshape(-1, 1), {"holdout": list(sides)}, config=config)


def mutated(codes: np.ndarray, fraction: float, draws: np.random.Generator) -> np.ndarray:
    """Return codes with an exact fraction of the bases replaced by others."""
    found = codes.copy()
    where = draws.choice(len(codes), round(fraction * len(codes)), replace=False)
    found[where] = (found[where] + draws.integers(1, 4, len(where))) % 4
    return found
