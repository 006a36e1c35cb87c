from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from split_cases import memory_store
from window_files import HOLDOUT, write_holdout

from lociflow.data.bins import NO_SPLIT, bins_of_split, read_bins
from lociflow.genome import window_table


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_shuffles_keep_their_seeds_however_the_table_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
):
    monkeypatch.setattr(window_table, "BATCH", batch)
    store = memory_store([np.zeros(50, np.uint8)], ["a"])
    frame = pd.DataFrame({"contig": ["a"] * 4, "start": [0, 10, 10, 20], "end": [10, 20, 20, 30]})
    frame = frame.assign(split=["train", "test", "train", None], strand=["+", ".", "-", "."])
    write_holdout(tmp_path / "plain.parquet", frame)
    plain = read_bins(tmp_path / "plain.parquet", store, HOLDOUT)
    assert plain.place.seeds is None
    assert plain.place.shuffled is None
    assert plain.reverse.tolist() == [False, False, True, False]
    assert plain.split.tolist() == [0, 2, 0, NO_SPLIT]
    assert bins_of_split(plain, "train").tolist() == [0, 2]
    write_holdout(tmp_path / "some.parquet", frame.assign(shuffled=[False, False, True, False]))
    some = read_bins(tmp_path / "some.parquet", store, HOLDOUT)
    assert some.place.seeds is not None
    assert some.place.seeds.tolist() == [0, 0, 3, 0]
    assert some.place.position.tolist() == [5, 15, 15, 25]
