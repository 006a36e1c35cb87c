"""Numbers and counts of k-mers, against cases by hand."""

import numpy as np
import pytest

from lociflow.sequence.alphabet import encode
from lociflow.sequence.kmers import canonical_columns, count_kmers


def test_a_kmer_and_its_reverse_complement_are_one():
    columns, names = canonical_columns(2)
    assert names == ["AA", "AC", "AG", "AT", "CA", "CC", "CG", "GA", "GC", "TA"]
    assert columns.tolist() == [0, 1, 2, 3, 4, 5, 6, 2, 7, 8, 5, 1, 9, 7, 4, 0]


@pytest.mark.parametrize(("k", "count"), [(1, 2), (3, 32), (4, 136), (5, 512), (6, 2080)])
def test_number_of_canonical_kmers(k, count):
    columns, names = canonical_columns(k)
    assert len(names) == count == columns.max() + 1


def test_counts_by_hand():
    columns, names = canonical_columns(2)
    # AC, CG, and not GN, NT; TT is AA.
    counts = count_kmers(np.stack([encode("ACGNT"), encode("TTTTT")]), 2, columns)
    found = [{name: count for name, count in zip(names, row, strict=True) if count} for row in counts.tolist()]
    assert found == [{"AC": 1, "CG": 1}, {"AA": 4}]


def test_soft_masked_letters_count():
    columns, _ = canonical_columns(3)
    codes = np.stack([encode("acgtTGCA", soft_mask=True), encode("ACGTTGCA")])
    counts = count_kmers(codes, 3, columns)
    np.testing.assert_array_equal(counts[0], counts[1])
    assert counts[0].sum() == 6
