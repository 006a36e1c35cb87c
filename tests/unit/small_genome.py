"""A genome of three small contigs, and models whose predictions can be counted by hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from window_files import HOLDOUT, write_holdout

from lociflow.models.checkpoint import LoadedModel
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import SequenceStore, open_store

# 40 bases with G or C in every window, 30 of A, 20 that are mostly N; the names are not in alphabetical order.
SEQUENCES = {"chrII": "GGCCAATTGC" * 4, "chrI": "A" * 30, "chrX": "ACGT" + "N" * 12 + "ACGT"}
BIN, WINDOW = 10, 10


class GC(nn.Module):
    """The logit of a window's GC content."""

    def forward(self, views: dict[str, Tensor]) -> Tensor:
        share = views["sequence"][:, 1:3].sum(dim=(1, 2)) / views["sequence"].shape[2]
        return torch.logit(share)[:, None]


class GCOfEachBase(nn.Module):
    """A profile with as much on each G or C as on no other base, and as many counts as there are such bases."""

    def forward(self, views: dict[str, Tensor]) -> ProfileOutput:
        strong = views["sequence"][:, 1:3].sum(dim=1)
        profile = torch.log(strong + 1e-30)[..., None]
        return ProfileOutput(profile, torch.log1p(strong.sum(dim=1))[:, None])


class IsA(nn.Module):
    """Two classes of each base, of which the second is A as the window is read."""

    def forward(self, views: dict[str, Tensor]) -> Tensor:
        logit = 200.0 * views["sequence"][:, 0] - 100.0
        return torch.stack([torch.zeros_like(logit), logit], dim=-1)


def loaded(model: nn.Module, outputs: Outputs, window: int = WINDOW, seed: int = 1, **provenance: Any) -> LoadedModel:
    config = {
        "dataset": {"name": "toy", "split": HOLDOUT},
        "model": {"name": "toy", "input_length": window, "views": ["sequence"], "strand_specific": False},
        "training": {"evaluation_batch_size": 3, "torch_threads": 1, "reverse_complement": {"averaging": True}},
        "seed": seed,
    }
    return LoadedModel(model.eval(), config, outputs, provenance)


@dataclass
class Genome:
    folder: Path
    store: SequenceStore

    @property
    def windows(self) -> Path:
        return self.folder / "windows.parquet"


def make_genome(folder: Path, stranded: bool = False) -> Genome:
    """Bins: two of training and one of validation on chrII, one of test on chrI, one outside of the split."""
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in SEQUENCES.items()))
    write_store([folder / "genome.fa"], folder / "codes.npy", folder / "store.json", "toy")
    rows = [
        ("chrII", 0, "train", "+"), ("chrII", 10, "train", "-"), ("chrII", 30, "validation", "."),
        ("chrI", 0, "test", "."), ("chrI", 20, None, "."),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["contig", "start", "split", "strand"])
    frame["contig"] = pd.Categorical(frame["contig"], categories=list(SEQUENCES))
    write_holdout(folder / "windows.parquet", frame.assign(end=frame["start"] + BIN), stranded=stranded)
    return Genome(folder, open_store(folder / "store.json"))


def gc(text: str) -> float:
    return np.mean([base in "GC" for base in text]).item()
