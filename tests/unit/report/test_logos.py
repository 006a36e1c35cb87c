import re

import numpy as np
import pytest

from lociflow.report.logos import COLUMN_HEIGHT, align, letter_shapes, logo, placement, reverse_complement

SURE_A = np.array([[1.0], [0.0], [0.0], [0.0]])


def test_letters_are_four_paths_that_fill_the_unit_square() -> None:
    text = str(letter_shapes())
    assert re.findall(r'<path id="logo-(.)" fill="(#......)"', text) == [
        ("A", "#009E73"), ("C", "#0072B2"), ("G", "#E69F00"), ("T", "#D55E00"),
    ]  # fmt: skip
    paths = re.findall(r' d="([^"]+)"', text)
    for path in paths:
        points = np.array([float(value) for value in re.findall(r"-?\d[\d.e-]*", path)]).reshape(-1, 2)
        np.testing.assert_allclose([points[:, 0].min(), points[:, 0].max()], [0, 1], atol=0.02)
        np.testing.assert_allclose([points[:, 1].min(), points[:, 1].max()], [-1, 0], atol=0.02)


def test_a_certain_base_is_two_bits_high() -> None:
    (found,) = re.findall(r'href="#logo-(.)" transform="matrix\(\S+ 0 0 (\S+) ', str(logo(SURE_A, "x")))
    assert found == ("A", f"{COLUMN_HEIGHT}")


def test_the_highest_letter_is_drawn_last_and_on_top() -> None:
    # Three quarters A, one quarter T: 2 - 0.811 bits, of which A has three quarters.
    text = str(logo(np.array([[0.75], [0.0], [0.0], [0.25]]), "x"))
    letters = re.findall(r'#logo-(.)" transform="matrix\(\S+ 0 0 (\S+) \S+ (\S+)\)', text)
    bits = 2 + 0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)
    assert [letter for letter, _, _ in letters] == ["T", "A"]
    assert float(letters[1][1]) == pytest.approx(0.75 * bits * COLUMN_HEIGHT / 2, abs=0.01)
    assert float(letters[0][2]) - float(letters[1][2]) == pytest.approx(float(letters[0][1]), abs=0.02)


def test_no_information_no_letters() -> None:
    assert "<use" not in str(logo(np.full((4, 5), 0.25), "x"))


def test_text_alternative_has_name_and_consensus_and_is_escaped() -> None:
    text = str(logo(np.hstack([SURE_A, SURE_A[::-1]]), '<b>"x"'))
    assert 'aria-label="Logo of &lt;b&gt;&#34;x&#34;: AT"' in text
    assert 'role="img"' in text


def test_thirty_positions_of_four_letters_stay_small() -> None:
    random = np.random.default_rng(1)
    assert len(logo(random.dirichlet([1] * 4, 30).T, "x")) < 15_000


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(5, 4\)"):
        logo(np.ones((5, 4)), "x")


def test_reverse_complement() -> None:
    pwm = np.array([[0.1, 0.5], [0.2, 0.2], [0.3, 0.2], [0.4, 0.1]])
    np.testing.assert_array_equal(reverse_complement(pwm), [[0.1, 0.4], [0.2, 0.3], [0.2, 0.2], [0.5, 0.1]])


@pytest.mark.parametrize(
    ("length", "match_length", "offset", "expected"),
    [
        (6, 6, 0, (0, 0, 6)),
        (6, 10, 2, (2, 0, 10)),  # the motif begins on the third position of its match
        (10, 6, -3, (0, 3, 10)),
        (6, 6, -4, (0, 4, 10)),
    ],
)
def test_placement(length: int, match_length: int, offset: int, expected: tuple[int, int, int]) -> None:
    assert placement(length, match_length, offset) == expected


@pytest.mark.parametrize(("word", "offset"), [("TTACCC", 0), ("ACCCGG", 2), ("GGTTACCC", -2), ("CGG", 5)])
def test_align_finds_the_word_in_its_match(word, offset) -> None:
    spelled = [np.eye(4)[["ACGT".index(letter) for letter in text]].T for text in (word, "TTACCCGG")]
    assert align(*spelled) == offset
