from pathlib import Path

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.data.targets import open_control, open_targets, read_target_names


def test_names_are_text(tmp_path: Path) -> None:
    table = tmp_path / "targets.tsv"
    table.write_text('target\tpeaks\nNA\t3\n7\t4\nReb1\t5\n"Pol II\t6\n"x"\t7\n')
    assert read_target_names(table) == ("NA", "7", "Reb1", '"Pol II', '"x"')


def test_a_table_without_targets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "targets.tsv").write_text("name\nReb1\n")
    with pytest.raises(UserError, match="has no column target"):
        read_target_names(tmp_path / "targets.tsv")
    with pytest.raises(UserError, match="cannot be read"):
        read_target_names(tmp_path / "none.tsv")


def test_targets_are_mapped_and_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "targets.npy", np.zeros((3, 2), dtype=np.int8))
    assert isinstance(open_targets(tmp_path / "targets.npy", 3, 2), np.memmap)


@pytest.mark.parametrize("array", [np.zeros((3, 2), dtype=np.int64), np.zeros((2, 2), dtype=np.int8)])
def test_another_type_or_shape_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "targets.npy", array)
    with pytest.raises(UserError, match=r"expected int8 of shape \(3, 2\)"):
        open_targets(tmp_path / "targets.npy", 3, 2)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"targets.npy: cannot be read"):
        open_targets(tmp_path / "targets.npy", 3, 2)


def test_a_control_has_a_row_for_each_bin(tmp_path: Path) -> None:
    path = tmp_path / "control.npy"
    np.save(path, np.zeros((3, 0), dtype=np.float32))
    assert open_control(path, 3).shape == (3, 0)
    with pytest.raises(UserError, match=r"control.npy: found float32 of shape \(3, 0\), expected float32 of 4 bins"):
        open_control(path, 4)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(UserError, match=r"control.npy: cannot be read as the values of a control"):
        open_control(path, 3)
