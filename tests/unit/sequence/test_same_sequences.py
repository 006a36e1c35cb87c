import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.sequence.alphabet import N, decode, encode, reverse_complement
from lociflow.sequence.same_sequences import first_of_same
from lociflow.sequence.search import Search


def padded(*texts: str) -> np.ndarray:
    sequences = np.full((len(texts), max(map(len, texts))), N, dtype=np.uint8)
    for row, text in enumerate(texts):
        sequences[row, : len(text)] = encode(text, soft_mask=True)
    return sequences


def reader(sequences: np.ndarray):
    return lambda rows: sequences[rows]


def test_the_same_sequences():
    sequences = padded("ACGTTGCC", "acgttgcc", "GGCAACGT", "NACGTTGCC", "ACGTTGCA", "NNNN", "NNNNN", "ACGNTGCC")
    same = first_of_same(reader(sequences), np.arange(8), sequences.shape[1])
    assert same.first.tolist() == [0, 0, 0, 0, 4, 5, 6, 7]
    assert same.reverse.tolist() == [False, False, True, False, False, False, False, False]
    one_strand = first_of_same(reader(sequences), np.arange(8), sequences.shape[1], Search(either_strand=False))
    assert one_strand.first.tolist() == [0, 0, 2, 0, 4, 5, 6, 7]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ACN", min_size=1, max_size=4), min_size=1, max_size=20))
def test_the_first_is_the_first_of_all_pairs(texts: list[str]):
    sequences = padded(*texts)
    same = first_of_same(reader(sequences), np.arange(len(texts)), sequences.shape[1])
    trimmed = [text.strip("N") for text in texts]
    other = [decode(reverse_complement(encode(text))).strip("N") for text in texts]
    for row, text in enumerate(trimmed):
        alike = [before for before in range(row + 1) if text and text in (trimmed[before], other[before])]
        assert same.first[row] == (alike[0] if text else row)
        if text and not same.reverse[row]:
            assert trimmed[same.first[row]] == text


def test_rows_are_numbered_as_they_are_given():
    sequences = padded("ACGT", "CCCC", "GGGG", "CCCC")
    same = first_of_same(reader(sequences), np.array([1, 2, 3]), 4)
    assert same.first.tolist() == [1, 1, 1]
    assert same.reverse.tolist() == [False, True, False]
