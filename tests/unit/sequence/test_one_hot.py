import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lociflow.sequence.alphabet import BASES, LETTERS, PROTEIN, RNA, encode, reverse_complement
from lociflow.sequence.one_hot import ONE_HOT, one_hot, one_hot_table


def test_bases_are_unit_vectors_and_n_is_nothing():
    assert ONE_HOT.shape == (16, 4)
    assert ONE_HOT.dtype == np.float32
    assert np.array_equal(ONE_HOT[:4], np.eye(4))
    assert not ONE_HOT[4].any()
    assert not ONE_HOT[15].any()


def test_ambiguous_letters_are_equal_fractions_of_their_bases():
    for letter in LETTERS.replace("N", ""):
        row = ONE_HOT[encode(letter)[0]]
        assert row.sum() == 1
        assert {"ACGT"[channel] for channel in np.flatnonzero(row)} == set(BASES[letter])
        assert len(set(row[row > 0])) == 1


def test_by_hand():
    expanded = one_hot(encode("ACGTNR"))
    assert expanded.dtype == np.float32
    assert expanded.flags.c_contiguous
    assert expanded.tolist() == [
        [1, 0, 0, 0, 0, 0.5],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0.5],
        [0, 0, 0, 1, 0, 0],
    ]


def test_soft_mask_does_not_matter():
    assert np.array_equal(one_hot(encode("acgtnv", soft_mask=True)), one_hot(encode("ACGTNV")))


def test_leading_axes_are_kept():
    codes = np.stack([[encode("ACG"), encode("TTT")]])
    assert one_hot(codes).shape == (1, 2, 4, 3)
    assert np.array_equal(one_hot(codes)[0, 1], one_hot(encode("TTT")))
    assert one_hot(np.empty((0, 7), dtype=np.uint8)).shape == (0, 4, 7)


@given(st.text(alphabet=LETTERS, max_size=50))
def test_reverse_complement_flips_both_axes(text):
    codes = encode(text)
    assert np.array_equal(one_hot(reverse_complement(codes)), one_hot(codes)[::-1, ::-1])


def test_rna_has_the_channels_of_dna():
    assert np.array_equal(one_hot(encode("ACGUNR", alphabet=RNA), RNA), one_hot(encode("ACGTNR")))


def test_proteins_have_twenty_channels():
    table = one_hot_table(PROTEIN)
    assert table.shape == (32, 20)
    assert np.array_equal(table[:20], np.eye(20))
    assert not table[PROTEIN.pad].any()
    expanded = one_hot(encode("bU", soft_mask=True, alphabet=PROTEIN), PROTEIN)
    assert expanded.shape == (20, 2)
    assert {PROTEIN.channels[row]: float(expanded[row, 0]) for row in np.flatnonzero(expanded[:, 0])} == {
        "D": 0.5,
        "N": 0.5,
    }
    assert {PROTEIN.channels[row]: float(expanded[row, 1]) for row in np.flatnonzero(expanded[:, 1])} == {"C": 1.0}
