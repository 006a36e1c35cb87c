"""The windows of a small data set as a file, from a table with one column ``split``."""

from pathlib import Path

import numpy as np
import pandas as pd

from lociflow.genome.window_table import SPLIT, digest_windows, write_windows

HOLDOUT = "holdout"
SIDES = ["train", "validation", "test"]


def write_holdout(path: Path, frame: pd.DataFrame, kind: str = "binary", stranded: bool = False) -> None:
    """Write bins with ``contig``, ``start``, ``end`` and ``split``; what else there may be is filled in."""
    columns = {
        "contig": pd.Categorical(frame["contig"]),
        "start": frame["start"].astype(np.int64),
        "end": frame["end"].astype(np.int64),
        "strand": pd.Categorical(frame["strand"] if "strand" in frame else ["."] * len(frame)),
        "group": pd.Categorical(frame["group"] if "group" in frame else [None] * len(frame)),
        "shuffled": frame["shuffled"] if "shuffled" in frame else np.zeros(len(frame), bool),
        # Any seed will do for what is a shuffle.
        "shuffle_seed": np.arange(1, len(frame) + 1) * frame["shuffled"] if "shuffled" in frame else 0,
        SPLIT + HOLDOUT: pd.Categorical(frame["split"], categories=SIDES),
    }
    table = pd.DataFrame(columns)
    labels = {"kind": kind, "classes": None, "reverse": None, "stranded": stranded}
    digest = digest_windows(table)
    about = {
        "genome": "toy", "genome_digest": "0", "windows_digest": digest, "split_digests": {HOLDOUT: digest},
        "labels": labels,
    }  # fmt: skip
    write_windows(path, table, about)
