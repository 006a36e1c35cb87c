import numpy as np
import pytest

from lociflow.command import UserError
from lociflow.genome.grammar import (
    Element,
    Part,
    arrangements,
    fetch_counts,
    frequencies,
    matrix_ids,
    read_grammar,
    weakened,
)

X = Part("X", "MX", "pair", True)
Y = Part("Y", "MY", "pair", True)
MATRICES = {"MX": np.full((3, 4), 0.25), "MY": np.full((5, 4), 0.25)}
COUNTS = {name: matrix * 40 for name, matrix in MATRICES.items()}


def config(**changes):
    return {
        "factors": {"X": {"matrix": "MX", "sites": 8}, "Y": {"matrix": "MY", "sites": 5}},
        "pair": {"factor": "X", "partner": "Y", "gap": [2, 4], "orientation": "same"},
        "decoys": {"lone": 3, "inverted": 2},
        **changes,
    }


def grammar_of(settings):
    return read_grammar(settings, COUNTS, np.random.Generator(np.random.Philox(1)))


def test_a_single_motif_lies_on_either_strand():
    ways = arrangements(Element((X,), (0,), 1), MATRICES)
    assert [(way.length, way.places[0].offset, way.places[0].strand) for way in ways] == [(3, 0, "+"), (3, 0, "-")]


def test_a_pair_is_mirrored_on_the_reverse_strand():
    ways = arrangements(Element((Y, X._replace(reverse=True)), (1, 2), 1), MATRICES)
    assert [way.length for way in ways] == [9, 10, 9, 10]
    forward, reverse = ways[1], ways[3]
    assert [(place.part.factor, place.offset, place.strand) for place in forward.places] == [
        ("Y", 0, "+"),
        ("X", 7, "-"),
    ]
    assert [(place.part.factor, place.offset, place.strand) for place in reverse.places] == [
        ("Y", 5, "-"),
        ("X", 0, "+"),
    ]


def test_the_grammar_of_a_pair_with_its_decoys():
    grammar = grammar_of(config())
    assert grammar.margin == 5
    assert grammar.factors == ("X", "Y")
    assert [(len(element.parts), element.gaps, element.copies) for element in grammar.elements] == [
        (1, (0,), 5),
        (2, (2, 3, 4), 8),
        (1, (0,), 3),
        (2, (2, 3, 4), 2),
    ]
    single, pair, lone, inverted = grammar.elements
    assert [part.bound for element in (single, pair, lone) for part in element.parts] == [True, True, True, False]
    assert [(part.factor, part.kind, part.bound, part.reverse) for part in inverted.parts] == [
        ("Y", "site", True, False),
        ("X", "decoy", False, True),
    ]


def test_opposite_orientation_swaps_pair_and_inverted():
    grammar = grammar_of(config(pair={"factor": "X", "partner": "Y", "gap": [2, 4], "orientation": "opposite"}))
    assert [element.parts[1].reverse for element in grammar.elements if len(element.parts) == 2] == [True, False]


def test_the_order_of_keys_means_nothing():
    settings = config()
    settings["factors"] = dict(reversed(settings["factors"].items()))
    found, expected = grammar_of(settings), grammar_of(config())
    assert found.factors == expected.factors
    assert found.elements == expected.elements


def test_decoys_that_need_no_pair():
    decoys = {
        "weakened": {"sites": 2, "weight": 0.5},
        "shuffled": {"sites": 1},
        "foreign": {"Z": {"matrix": "MY", "sites": 4}},
    }
    counts = {"MX": np.array([[10.0, 0, 0, 0], [0, 10, 0, 0], [0, 0, 0, 10]])} | {"MY": COUNTS["MY"]}
    settings = {"factors": {"X": {"matrix": "MX", "sites": 8}}, "decoys": decoys}
    grammar = read_grammar(settings, counts, np.random.Generator(np.random.Philox(1)))
    assert grammar.margin == 0
    assert [(element.parts[0].matrix, element.parts[0].bound, element.copies) for element in grammar.elements] == [
        ("MX", True, 8),
        ("MX weakened", False, 2),
        ("MX shuffled", False, 1),
        ("MY", False, 4),
    ]
    np.testing.assert_allclose(grammar.matrices["MX weakened"], 0.5 * grammar.matrices["MX"] + 0.125)
    shuffled = grammar.matrices["MX shuffled"]
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, grammar.matrices["MX"]))


def test_frequencies_have_no_zero():
    np.testing.assert_allclose(frequencies(np.array([[3.0, 0, 0, 0]])), [[3.25 / 4, 0.25 / 4, 0.25 / 4, 0.25 / 4]])
    np.testing.assert_allclose(weakened(np.array([[1.0, 0, 0, 0]]), 0.6), [[0.7, 0.1, 0.1, 0.1]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pair": {"factor": "X", "partner": "W", "gap": [2, 4], "orientation": "same"}}, "found X and W"),
        ({"pair": {"factor": "X", "partner": "Y", "gap": [4, 2], "orientation": "same"}}, "found 4 to 2"),
        ({"pair": {"factor": "X", "partner": "Y", "gap": [2, 4], "orientation": "up"}}, "found up"),
        ({"decoys": {"distant": {"sites": 1, "gap": [4, 9]}}}, "found 4 to 9"),
        ({"decoys": {"foreign": {"X": {"matrix": "MX", "sites": 1}}}}, "X is also a factor"),
        ({"decoys": {"lone": -1}}, "found -1 sites of X"),
        ({"pair": None}, "without simulation.pair"),
    ],
)
def test_a_grammar_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        grammar_of(config(**changes))


def test_matrices_come_from_jaspar():
    settings = {
        "factors": {"CTCF": {"matrix": "MA0139.2", "sites": 1}},
        "decoys": {"foreign": {"TP53": {"matrix": "MA0106.3", "sites": 1}}},
    }
    counts = fetch_counts("JASPAR2024", matrix_ids(settings))
    assert {name: table.shape for name, table in counts.items()} == {"MA0139.2": (15, 4), "MA0106.3": (18, 4)}
    # CTCF binds CCACCAGGGGGCG: the second position of the matrix is a C.
    assert counts["MA0139.2"][1].argmax() == 1


def test_an_unknown_matrix_or_release_is_refused():
    with pytest.warns(Warning, match="MA9999.1"), pytest.raises(UserError, match=r"MA9999.1 is not in JASPAR2024"):
        fetch_counts("JASPAR2024", ["MA9999.1"])
    with pytest.raises(UserError, match="JASPAR1999"):
        fetch_counts("JASPAR1999", [])
