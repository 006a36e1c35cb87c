"""A data set and a model small enough to know by hand, for whoever explains a model in a test."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from window_files import HOLDOUT, write_holdout

from lociflow.models.checkpoint import build_model, save_checkpoint
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import decode, encode
from lociflow.sequence.genome_store import encode_sequences

BIN = 60
TARGETS = ("Reb1", "Rap1")
OUTPUTS = Outputs("binary", TARGETS)
WORD = "TTACCCGT"
MODEL: dict[str, Any] = {
    "name": "toy",
    "input_length": BIN,
    "views": ["sequence"],
    "strand_specific": False,
    "architecture": {
        "_target_": "lociflow.models.deepsea.DeepSEA",
        "filters": [4],
        "kernels": [8],
        "pools": [53],
        "dropouts": [0.0],
        "hidden": 0,
    },
}


class Toy(NamedTuple):
    store: Path
    windows: Path
    targets: Path
    target_table: Path
    checkpoint: Path


def make_toy(folder: Path) -> Toy:
    """Bins of a random genome; the second half is test, every other bin holds WORD and is positive for Reb1.

    The first filter of the model is WORD itself, the others answer nothing; Reb1's logit is the first one's maximum.
    """
    draws = np.random.default_rng(1)
    bins = 400
    codes = draws.integers(0, 4, (bins, BIN)).astype(np.uint8)
    labels = np.zeros((bins, 2), dtype=np.int8)
    for index in range(0, bins, 2):
        start = int(draws.integers(0, BIN - len(WORD)))
        codes[index, start : start + len(WORD)] = encode(WORD)
        labels[index, 0] = 1
    labels[[301, 303], 1] = 1
    codes[302, 0] = encode("N")[0]
    (folder / "genome.fa").write_text(f">chrI\n{decode(codes.ravel())}\n")
    found = Toy(
        *(folder / name for name in ("store.json", "windows.parquet", "targets.npy", "targets.tsv", "model.ckpt"))
    )
    config = {"name": "toy", "soft_mask": False, "contig_md5": None}
    encode_sequences([folder / "genome.fa"], config, folder / "codes.npy", found.store)
    start = np.arange(bins, dtype=np.int64) * BIN
    split = pd.Categorical(np.where(np.arange(bins) < bins // 2, "train", "test"))
    columns = {name: pd.Categorical([value] * bins) for name, value in {"contig": "chrI", "strand": "."}.items()}
    group = pd.Categorical([None] * bins, categories=[])
    frame = pd.DataFrame({**columns, "start": start, "end": start + BIN, "split": split, "group": group})
    write_holdout(found.windows, frame)
    np.save(found.targets, labels)
    pd.DataFrame({"target": TARGETS, "positives_test": (labels[200:] == 1).sum(axis=0)}).to_csv(
        found.target_table, sep="\t", index=False
    )
    model = build_model(MODEL, OUTPUTS)
    state = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()}
    filters, weights = (name for name in state if name.endswith("weight"))
    state[filters][0, encode(WORD).astype(int), range(len(WORD))] = 1.0
    state[filters][1] = -1.0
    state[weights][0, 0] = 1.0
    training = {"reverse_complement": {"augmentation": True, "averaging": False}}
    save_checkpoint(
        found.checkpoint,
        state,
        {"dataset": {"name": "toy", "split": HOLDOUT}, "model": MODEL, "training": training, "seed": 1},
        OUTPUTS,
        {},
    )
    return found
