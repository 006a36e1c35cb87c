import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lociflow.training.spool import Spool


def read(spool: Spool) -> list[list[np.ndarray]]:
    return [list(column) for column in spool.columns()]


@given(
    batches=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    columns=st.integers(0, 4),
    positions=st.integers(1, 3),
    panel=st.sampled_from([1, 50, 300, 1 << 20]),
    seed=st.integers(0, 9),
)
def test_columns_come_back_whole_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], columns: int, positions: int, panel: int, seed: int
) -> None:
    draws = np.random.default_rng(seed)
    logits = [draws.normal(size=(size, columns)).astype(np.float32) for size in batches]
    labels = [draws.integers(-1, 3, (size, positions, columns)).astype(np.int8) for size in batches]
    with Spool(tmp_path_factory.getbasetemp() / "spool", panel) as spool:
        for pair in zip(logits, labels, strict=True):
            spool.append(*pair)
        assert spool.rows == sum(batches)
        for _ in range(2):
            found = read(spool)
            assert len(found) == columns
            for column, (one, other) in enumerate(found):
                np.testing.assert_array_equal(one, np.concatenate(logits)[:, column], strict=True)
                np.testing.assert_array_equal(other, np.concatenate(labels)[..., column], strict=True)


def test_what_is_not_a_number_stays_what_it_is(tmp_path: Path) -> None:
    values = np.array([[np.nan], [np.inf], [-0.0]], dtype=np.float32)
    with Spool(tmp_path, panel=1) as spool:
        spool.append(values)
        assert read(spool)[0][0].tobytes() == values.tobytes()


def test_little_never_reaches_the_disk(tmp_path: Path) -> None:
    with Spool(tmp_path / "none") as spool:
        spool.append(np.zeros((3, 2)))
        assert len(read(spool)) == 2
    assert not (tmp_path / "none").exists()


def test_the_scratch_file_has_no_name_that_could_stay_behind(tmp_path: Path) -> None:
    with Spool(tmp_path, panel=1) as spool:
        spool.append(np.zeros((3, 2)))
        assert not list(tmp_path.iterdir())


def test_a_closed_spool_is_empty_and_takes_other_arrays(tmp_path: Path) -> None:
    spool = Spool(tmp_path, panel=1)
    spool.append(np.zeros((3, 2)))
    spool.close()
    assert read(spool) == []
    spool.append(np.ones((1, 1), dtype=np.int8))
    assert read(spool)[0][0].tolist() == [1]
    spool.close()


@pytest.mark.parametrize(
    "arrays",
    [
        (np.zeros((2, 2), np.float32), np.zeros((2, 2))),
        (np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int8)),
        (np.zeros((2, 2), np.float32), np.zeros((1, 2), np.int8)),
        (np.zeros((2, 2), np.float32),),
    ],
    ids=["another type", "another shape", "fewer rows", "fewer arrays"],
)
def test_arrays_unlike_the_first_are_refused(tmp_path: Path, arrays: tuple[np.ndarray, ...]) -> None:
    with Spool(tmp_path) as spool:
        spool.append(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.int8))
        with pytest.raises(ValueError, match="expected"):
            spool.append(*arrays)


def test_memory_is_a_panel_and_a_column_whatever_the_rows(tmp_path: Path) -> None:
    peaks = []
    for batches in (40, 400):
        tracemalloc.start()
        with Spool(tmp_path, panel=1 << 16) as spool:
            for _ in range(batches):
                spool.append(np.zeros((50, 100), np.float32))
            appended = tracemalloc.get_traced_memory()[1]
            for (column,) in spool.columns():
                assert column.nbytes == batches * 200
        peaks.append((appended, tracemalloc.get_traced_memory()[1] - 2 * batches * 200))
        tracemalloc.stop()
    assert abs(peaks[1][0] - peaks[0][0]) < 1 << 16
    assert peaks[1][1] < 5 << 16
