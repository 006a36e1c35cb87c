"""A tiny data set with two planted motifs, for whoever trains or predicts in a test."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from window_files import HOLDOUT, write_holdout

from lociflow.genome.window_table import METADATA
from lociflow.sequence.alphabet import encode, reverse_complement
from lociflow.sequence.genome_store import encode_sequences

BIN = 100
BINS = {"chrA": 1000, "chrB": 200, "chrC": 200}
SPLIT = {"chrA": "train", "chrB": "validation", "chrC": "test"}
MOTIFS = {"first": "TTACCCGGAA", "second": "CACGTGATTC"}

CONFIG: dict[str, Any] = {
    "dataset": {"name": "planted", "split": HOLDOUT},
    "model": {
        "name": "tiny",
        "input_length": BIN,
        "views": ["sequence"],
        "strand_specific": False,
        "architecture": {
            "_target_": "lociflow.models.deepsea.DeepSEA",
            "filters": [16],
            "kernels": [12],
            "pools": [8],
            "dropouts": [0.1],
            "hidden": 16,
        },
    },
    "training": {
        "torch_threads": 1,
        "batch_size": 32,
        "evaluation_batch_size": 64,
        "max_epochs": 3,
        "early_stopping": {"monitor": "validation_auprc", "patience": 5, "min_delta": 0.0},
        "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.005},
        "schedule": None,
        "gradient_clip": None,
        "objective": None,
        "loss": {"_target_": "lociflow.training.losses.MaskedBinaryCrossEntropy", "imbalance_exponent": 0.0},
        "prior_output_bias": True,
        "reverse_complement": {"augmentation": True, "averaging": True},
        "label_permutation": False,
        "jitter": 0,
    },
    "seed": 1,
}


class Planted(NamedTuple):
    store: Path
    windows: Path
    targets: Path
    target_table: Path
    control: Path

    def arguments(self) -> dict[str, Path]:
        return self._asdict()


def config(**training: Any) -> dict[str, Any]:
    """The configuration with some keys of its ``training`` replaced."""
    changed = deepcopy(CONFIG)
    changed["training"].update(training)
    return changed


def make_planted(folder: Path) -> Planted:
    """Write the data set: each target is positive where its motif lies in the bin, on a random strand."""
    draws = np.random.Generator(np.random.Philox(7))
    labels, rows = [], []
    fasta = folder / "genome.fa"
    with fasta.open("w") as handle:
        for contig, count in BINS.items():
            sequence = draws.integers(0, 4, (count, BIN), dtype=np.uint8)
            present = draws.random((count, len(MOTIFS))) < 0.25
            for number, motif in enumerate(MOTIFS.values()):
                for row in np.flatnonzero(present[:, number]):
                    site = encode(motif) if draws.random() < 0.5 else reverse_complement(encode(motif))
                    start = int(draws.integers(number * 50 + 5, number * 50 + 35))
                    sequence[row, start : start + len(site)] = site
            handle.write(f">{contig}\n{''.join('ACGT'[code] for code in sequence.ravel())}\n")
            label = present.astype(np.int8)
            label[draws.random(label.shape) < 0.05] = -1
            labels.append(label)
            rows += [(contig, number * BIN, (number + 1) * BIN, ".", SPLIT[contig], None) for number in range(count)]
    planted = Planted(
        *(folder / name for name in ("store.json", "windows.parquet", "targets.npy", "targets.tsv", "control.npy"))
    )
    encode_sequences(
        [fasta], {"name": "planted", "soft_mask": False, "contig_md5": None}, folder / "codes.npy", planted.store
    )
    frame = pd.DataFrame(rows, columns=["contig", "start", "end", "strand", "split", "group"])
    for column in ("contig", "strand", "split", "group"):
        frame[column] = frame[column].astype("category")
    write_holdout(planted.windows, frame)
    np.save(planted.targets, np.concatenate(labels))
    np.save(planted.control, np.empty((len(frame), 0), np.float32))
    pd.DataFrame({"target": list(MOTIFS)}).to_csv(planted.target_table, sep="\t", index=False)
    return planted


def config_text(**training: Any) -> str:
    return json.dumps(config(**training))


CLASSES = [["absent", "present"]] * len(MOTIFS)


def relabel(data: Planted, folder: Path, kind: str) -> Planted:
    """Write the same bins with labels of another kind: class and real ones by whether the motif is there."""
    labels = np.load(data.targets)
    changed = {"class": labels.astype(np.int16), "real": np.where(labels < 0, np.nan, labels).astype(np.float32)}
    folder.mkdir(parents=True, exist_ok=True)
    table = pq.read_table(data.windows)
    about = json.loads(table.schema.metadata[METADATA])
    about["labels"] = {**about["labels"], "kind": kind, "classes": CLASSES if kind == "class" else None}
    pq.write_table(table.replace_schema_metadata({METADATA: json.dumps(about)}), folder / "windows.parquet")
    np.save(folder / "targets.npy", changed[kind])
    return data._replace(windows=folder / "windows.parquet", targets=folder / "targets.npy")
