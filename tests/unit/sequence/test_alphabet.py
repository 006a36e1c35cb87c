import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lociflow.command import UserError
from lociflow.sequence.alphabet import (
    ALPHABETS,
    AMINO_ACIDS,
    BASES,
    COMPLEMENT,
    DNA,
    LETTERS,
    PROTEIN,
    RNA,
    Alphabet,
    UnknownLetter,
    decode,
    encode,
    find_alphabet,
    reverse_complement,
)

CASES = LETTERS + LETTERS.lower()
sequences = st.text(alphabet=CASES, max_size=200)


def test_codes_are_those_of_the_contract():
    assert encode("ACGTN").tolist() == [0, 1, 2, 3, 4]
    assert encode("RYSWKMBDHV").tolist() == list(range(5, 15))
    assert encode("ACGT").dtype == np.uint8


def test_u_reads_as_t():
    assert encode("Uu").tolist() == [3, 3]
    assert decode(encode("Uu", soft_mask=True)) == "Tt"


def test_case_is_dropped_unless_soft_masking_is_kept():
    assert encode("acgtn").tolist() == [0, 1, 2, 3, 4]
    assert encode("aCgN", soft_mask=True).tolist() == [0x80, 1, 0x82, 4]


@pytest.mark.parametrize("text", [b"AC-T", bytearray(b"AC-T"), "AC-T"])
def test_unknown_letter_is_named_with_its_place(text):
    with pytest.raises(UnknownLetter, match=r"base 3: found '-'") as caught:
        encode(text)
    assert (caught.value.letter, caught.value.position) == ("-", 2)
    assert isinstance(caught.value, UserError)
    assert isinstance(caught.value, ValueError)


def test_a_letter_outside_ascii_is_named_whole():
    with pytest.raises(UnknownLetter, match="base 3: found 'Ä'"):
        encode("ACÄT")


@given(st.integers(0, 255))
def test_exactly_the_iupac_letters_are_known(byte):
    letter = chr(byte)
    if letter in CASES + "Uu":
        assert decode(encode(bytes([byte]), soft_mask=True)) == letter.replace("U", "T").replace("u", "t")
    else:
        with pytest.raises(UnknownLetter):
            encode(bytes([byte]))


@given(sequences)
def test_decode_inverts_encode(text):
    assert decode(encode(text, soft_mask=True)) == text
    assert decode(encode(text)) == text.upper()


def test_decode_refuses_what_is_no_code():
    with pytest.raises(ValueError, match="15 is no code"):
        decode(np.array([0, 15], dtype=np.uint8))


def test_complement_of_each_letter_stands_for_the_complementary_bases():
    other = {"A": "T", "C": "G", "G": "C", "T": "A"}
    for letter, bases in BASES.items():
        complement = decode(COMPLEMENT[encode(letter)])
        assert set(BASES[complement]) == {other[base] for base in bases}


def test_reverse_complement_by_hand():
    assert decode(reverse_complement(encode("AACGTNRk", soft_mask=True))) == "mYNACGTT"


@given(sequences)
def test_reverse_complement_is_its_own_inverse_and_agrees_with_str_translate(text):
    codes = encode(text, soft_mask=True)
    table = str.maketrans("ACGTRYSWKMBDHVNacgtryswkmbdhvn", "TGCAYRSWMKVHDBNtgcayrswmkvhdbn")
    assert decode(reverse_complement(codes)) == text.translate(table)[::-1]
    assert np.array_equal(reverse_complement(reverse_complement(codes)), codes)


def test_reverse_complement_works_on_the_last_axis():
    codes = np.stack([encode("AAC"), encode("GTN")])
    assert [decode(row) for row in reverse_complement(codes)] == ["GTT", "NAC"]


def test_rna_has_the_codes_of_dna_and_is_written_with_u():
    assert encode("ACGUTN", alphabet=RNA).tolist() == encode("ACGTTN").tolist()
    assert decode(encode("acgut", soft_mask=True, alphabet=RNA), RNA) == "acguu"


def test_amino_acids_come_first_and_x_pads():
    assert encode(AMINO_ACIDS, alphabet=PROTEIN).tolist() == list(range(20))
    assert encode("XBZJUO", alphabet=PROTEIN).tolist() == [20, 21, 22, 23, 24, 25]
    assert PROTEIN.pad == 20
    assert (DNA.pad, RNA.pad) == (4, 4)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_every_letter_comes_back_in_both_cases(alphabet: Alphabet):
    text = alphabet.letters + alphabet.letters.lower()
    assert decode(encode(text, soft_mask=True, alphabet=alphabet), alphabet) == text
    assert set("".join(alphabet.residues.values())) == set(alphabet.channels)


@pytest.mark.parametrize("letter", ["*", "-", " ", "1", "."])
def test_a_protein_has_no_stops_and_gaps(letter):
    with pytest.raises(
        UnknownLetter, match=r"residue 3: found .* expected one of ACDEFGHIKLMNPQRSTVWYXBZJUO in either"
    ):
        encode(f"MK{letter}", alphabet=PROTEIN)


@pytest.mark.parametrize("alphabet", [RNA, PROTEIN])
def test_rna_and_proteins_have_no_other_strand(alphabet):
    with pytest.raises(ValueError, match="expected a sequence with two strands"):
        reverse_complement(encode("ACG", alphabet=alphabet), alphabet)


def test_an_unknown_alphabet_is_refused():
    assert find_alphabet("rna") is RNA
    with pytest.raises(UserError, match=r"sequences.alphabet: found 'DNA', expected one of dna, rna, protein"):
        find_alphabet("DNA")
