import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_files import StoreOf, make_store

from lociflow.effects.alleles import Allele
from lociflow.effects.windows import allele_windows
from lociflow.sequence.alphabet import decode
from lociflow.sequence.store import SequenceStore

#          0123456789
GENOME = {"chrI": "ACGTNRACGT", "chrII": "GGGG"}


def windows(store: SequenceStore, allele: Allele, length: int, shift: int = 0) -> tuple[str, str]:
    reference, alternative = allele_windows(store, [allele], length, shift)
    return decode(reference[0]), decode(alternative[0])


@pytest.mark.parametrize(
    ("allele", "shift", "reference", "alternative"),
    [
        # The variant stands at index 2 of 4; a window moved to the right has it further left.
        (Allele(0, 2, "G", "T"), 0, "ACGT", "ACTT"),
        (Allele(0, 2, "G", "T"), 1, "CGTN", "CTTN"),
        (Allele(0, 2, "G", "T"), -1, "NACG", "NACT"),
        # Several bases.
        (Allele(0, 1, "CG", "TA"), 0, "NACG", "NATA"),
        # A deletion takes more from the right, an insertion pushes out.
        (Allele(0, 2, "GT", "G"), 0, "ACGT", "ACGN"),
        (Allele(0, 2, "G", "GAA"), 1, "CGTN", "CGAA"),
        # What does not fit is cut off, on both sides of the comparison.
        (Allele(0, 2, "GTNR", "C"), 0, "ACGT", "ACCA"),
        (Allele(0, 2, "G", "TTTT"), 0, "ACGT", "ACTT"),
        # N, IUPAC letters, and the contig's ends.
        (Allele(0, 0, "A", "C"), 0, "NNAC", "NNCC"),
        (Allele(0, 9, "T", "TA"), 0, "CGTN", "CGTA"),
        (Allele(0, 8, "GT", "G"), 0, "ACGT", "ACGN"),
        (Allele(1, 0, "G", "GT"), 0, "NNGG", "NNGT"),
        (Allele(0, 3, "T", "A"), 2, "TNRA", "ANRA"),
        # A record that disagrees with the genome: the effect is that of its own REF.
        (Allele(0, 2, "A", "T"), 0, "ACAT", "ACTT"),
    ],
)
def test_by_hand(store_of: StoreOf, allele: Allele, shift: int, reference: str, alternative: str) -> None:
    assert windows(store_of(GENOME), allele, 4, shift) == (reference, alternative)


def test_windows_longer_than_the_contig(store_of: StoreOf) -> None:
    assert windows(store_of({"chrI": "ACG"}), Allele(0, 1, "C", "CTT"), 9) == ("NNNACGNNN", "NNNACTTGN")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SequenceStore:
    letters = "".join(np.random.default_rng(1).choice(list("ACGT"), 60))
    return make_store(tmp_path_factory.mktemp("shared"), {"chrI": letters})


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_alternative_is_the_window_of_the_changed_genome(shared: SequenceStore, data: st.DataObject) -> None:
    genome = decode(shared.codes)
    position = data.draw(st.integers(0, 59))
    before = data.draw(st.integers(1, min(8, 60 - position)))
    letters = data.draw(st.text("ACGT", min_size=1, max_size=8))
    length = data.draw(st.integers(8, 30))
    shift = data.draw(st.integers(-3, 3))
    allele = Allele(0, position, genome[position : position + before], letters)
    padded = "N" * 40 + genome + "N" * 40
    changed = "N" * 40 + genome[:position] + letters + genome[position + before :] + "N" * 40
    start = 40 + position - length // 2 + shift
    expected = padded[start : start + length], changed[start : start + length]
    assert windows(shared, allele, length, shift) == expected


def test_many_at_once_are_as_one_by_one(store_of: StoreOf) -> None:
    store = store_of(GENOME)
    alleles = [Allele(0, 2, "G", "T"), Allele(0, 2, "GT", "G"), Allele(1, 1, "G", "GTT"), Allele(0, 7, "C", "A")]
    reference, alternative = allele_windows(store, alleles, 5)
    for row, allele in enumerate(alleles):
        assert (decode(reference[row]), decode(alternative[row])) == windows(store, allele, 5)
