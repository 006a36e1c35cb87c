import os
from pathlib import Path

import numpy as np
import pytest
from memelite.io import read_meme as memelite_read_meme

from lociflow.command import UserError
from lociflow.interpretation.motifs.meme import Motif, consensus, core, information, read_meme, write_meme

TATA = np.array([[0.0, 1.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.25], [0.0, 0.0, 0.25, 0.25], [1.0, 0.0, 0.75, 0.0]])

EXPECTED = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF Reb1.positive_0 positive
letter-probability matrix: alength= 4 w= 4 nsites= 37 E= 0
0.000000 0.000000 0.000000 1.000000
1.000000 0.000000 0.000000 0.000000
0.000000 0.000000 0.250000 0.750000
0.500000 0.250000 0.250000 0.000000

"""


def real_data(*parts: str) -> Path:
    folder = os.environ.get("LOCIFLOW_REAL_DATA")
    if not folder:
        pytest.skip("LOCIFLOW_REAL_DATA does not name a folder")
    return Path(folder, *parts)


def test_writes_the_minimal_format(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    write_meme(path, [Motif("Reb1.positive_0", "positive", TATA, 37)])
    assert path.read_text() == EXPECTED


def test_reads_back_what_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    draws = np.random.default_rng(1)
    written = [Motif(f"m{width}", "", draws.dirichlet(np.ones(4), width).T, width * 10) for width in range(1, 30)]
    write_meme(path, written)
    found = read_meme(path)
    assert [(motif.name, motif.alternate, motif.sites) for motif in found] == [(m.name, "", m.sites) for m in written]
    for one, other in zip(found, written, strict=True):
        np.testing.assert_allclose(one.pwm, other.pwm, atol=2e-6)
        np.testing.assert_allclose(one.pwm.sum(axis=0), 1)


def test_an_empty_file_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    write_meme(path, [])
    assert path.read_text().startswith("MEME version 4\n")
    assert read_meme(path) == []


def test_white_space_in_names_does_not_break_the_line(tmp_path: Path) -> None:
    path = tmp_path / "motifs.meme"
    write_meme(path, [Motif("a b", "c d", TATA, 1)])
    assert read_meme(path)[0][:2] == ("a_b", "c_d")


def test_reads_other_programs_spellings(tmp_path: Path) -> None:
    path = tmp_path / "other.meme"
    path.write_text(
        "MEME version 5.4.1\n\nALPHABET=ACGT\n\nMOTIF\tM1  CTCF core\n"
        "letter-probability matrix: alength= 4 w= 2 nsites=12\n  0.25\t0.25 0.25 0.25\n 1e0 0 0 0\nURL http://x\n"
        "MOTIF M2\nletter-probability matrix:\n0.3334 0.3333 0.3333 0\n\n"
    )
    first, second = read_meme(path)
    assert first[:2] == ("M1", "CTCF core")
    assert first.sites == 12
    assert first.pwm.tolist() == [[0.25, 1], [0.25, 0], [0.25, 0], [0.25, 0]]
    assert (second.name, second.sites, second.pwm.shape) == ("M2", 0, (4, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGT\n", "no line 'MEME version'"),
        ("MEME version 4\nMOTIF a\nMOTIF\n", "line 3: found no name"),
        ("MEME version 4\nletter-probability matrix:\n1 0 0 0\n", "line 2: found a matrix without a MOTIF"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix:\n1 0 0\n", "line 4: found '1 0 0', expected four"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix:\n3 4 2 9\n", "line 4: found '3 4 2 9', expected four"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix:\nURL x\n", "found no matrix"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix:\nnan nan nan nan\n", "line 4: found 'nan nan nan nan'"),
        ("MEME version 4\nMOTIF a\nletter-probability matrix: w= 6\n1 0 0 0\n", "line 3: found 1 rows .*expected 6 as"),
        ("MEME version 4\nMOTIF a\nMOTIF b\nletter-probability matrix:\n1 0 0 0\n", "line 2: found MOTIF a without"),
        ("MEME version 4\nMOTIF a\n", "line 2: found MOTIF a without a matrix"),
        (EXPECTED + EXPECTED.partition("MOTIF")[1] + EXPECTED.partition("MOTIF")[2], "a second time"),
    ],
)
def test_refuses_what_is_not_a_motif_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "motifs.meme"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_meme(path)


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.meme: cannot be read"):
        read_meme(tmp_path / "none.meme")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["Basset_CISBP_Homo_sapiens.meme", "gReLU_jaspar_2024_consensus.meme"])
def test_reads_published_files_as_memelite_does(name: str) -> None:
    path = real_data("motifs", name)
    found = read_meme(path)
    expected = memelite_read_meme(str(path))
    assert len(found) == len(expected) > 100
    for motif, (title, pwm) in zip(found, expected.items(), strict=True):
        assert " ".join(filter(None, motif[:2])) == title
        np.testing.assert_allclose(motif.pwm, pwm / pwm.sum(axis=0))


def test_information_of_columns_known_by_hand() -> None:
    assert information(np.array([[1, 0.5, 0.25], [0, 0.5, 0.25], [0, 0, 0.25], [0, 0, 0.25]])).tolist() == [2, 1, 0]


def test_core_cuts_flanks_and_bridges_gaps_that_are_worth_it() -> None:
    flat, sharp = np.full((4, 1), 0.25), np.array([[1.0], [0], [0], [0]])
    # Each sharp position is 1.5 bits above half a bit, each flat one half a bit below.
    pwm = np.concatenate([flat, sharp, flat, flat, sharp, flat], axis=1)
    assert core(pwm, 0, 0.5) == slice(1, 5)
    assert core(np.concatenate([sharp, *[flat] * 4, sharp, sharp], axis=1), 0, 0.5) == slice(5, 7)
    assert core(np.concatenate([sharp, *[flat] * 2, sharp, sharp], axis=1), 0, 0.5) == slice(0, 5)
    assert pwm[:, core(flat, 0, 0.5)].shape == (4, 0)


def test_core_takes_off_what_few_sites_give_by_chance() -> None:
    half = np.array([[0.5], [0.5], [0], [0]])
    assert core(half, 1000, 0.9) == slice(0, 1)
    assert core(half, 15, 0.9) == slice(0, 0)


def test_consensus_letters() -> None:
    columns = {"A": [0.6, 0.2, 0.1, 0.1], "R": [0.5, 0.05, 0.4, 0.05], "N": [0.3, 0.3, 0.2, 0.2], "T": [0, 0, 0, 1]}
    assert consensus(np.array(list(columns.values())).T) == "".join(columns)
