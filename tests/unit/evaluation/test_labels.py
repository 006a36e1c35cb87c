import re

import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.evaluation.labels import read_labels


def test_labels_are_read(dataset):
    found = read_labels(**dataset.arguments)
    assert found.names == ["motif", "noise"]
    np.testing.assert_array_equal(found.targets, dataset.targets)
    assert found.windows["start"].tolist() == dataset.windows["start"].tolist()


def test_target_names_are_text(dataset):
    dataset.arguments["target_table"].write_text('target\tpeaks\n001\t1\n"NA\t1\n')
    assert read_labels(**dataset.arguments).names == ["001", '"NA']


def test_files_that_do_not_belong_together_are_refused(dataset):
    np.save(dataset.arguments["targets"], dataset.targets[:-1])
    with pytest.raises(UserError, match=re.escape("shape (899, 2), expected int8 of shape (900, 2)")):
        read_labels(**dataset.arguments)


@pytest.mark.parametrize("file", ["windows", "targets", "target_table"])
def test_a_missing_file_is_named(dataset, file):
    dataset.arguments[file].unlink()
    with pytest.raises(UserError, match=re.escape(str(dataset.arguments[file]))):
        read_labels(**dataset.arguments)
