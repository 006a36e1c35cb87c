import re

import numpy as np

from lociflow.report.motif_cards import cards, ranking
from lociflow.report.read_results import read_results
from lociflow.report.results import Match, Motif


def shown(results, index: int = 0) -> tuple[list[tuple[str, str, bool]], dict]:
    (data,) = read_results(results.manifest).datasets
    found = cards(data.entries[index], data.matched)
    return [(card.motif.name, card.kind, card.significant) for card in found.cards], found.counts


def test_at_most_twelve_significant_motifs_best_q_first(simulated) -> None:
    found, counts = shown(simulated, 1)
    assert [name for name, _, _ in found] == [
        f"{kind}_{number}" for kind in ("positive", "filter") for number in range(6)
    ]
    assert all(significant for _, _, significant in found)
    assert counts == {"TF-MoDISco": (6, 9), "first-layer filter": (6, 9)}


def test_a_few_unmatched_where_nothing_matches(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, motifs=[])
    found, counts = shown(results)
    assert len(found) == 6
    assert not any(significant for _, _, significant in found)
    assert counts["TF-MoDISco"] == (0, 3)


def test_negative_motifs_are_shown_as_such(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, motifs=["CTCF"], negative=["JUN"])
    found, counts = shown(results)
    assert found == [
        ("positive_0", "TF-MoDISco", True),
        *((f"positive_{number}", "TF-MoDISco", False) for number in (1, 2)),
        ("negative_0", "TF-MoDISco (negative)", True),
        ("filter_0", "first-layer filter", True),
        *((f"filter_{number}", "first-layer filter", False) for number in (1, 2)),
    ]
    assert counts["TF-MoDISco (negative)"] == (1, 1)


def test_logos_of_motif_and_match_are_aligned(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, motifs=["JUN"])
    (found,) = read_results(results.manifest).datasets
    card = cards(found.entries[0], found.matched).cards[0]
    # The motif lacks its match's first base and has three flat positions on either side: the match begins on its third.
    assert card.consensus == "NNNTGACGTCATNNN"
    assert card.match_logo is not None
    first = [re.findall(r"matrix\(\S+ 0 0 \S+ (\S+) ", str(svg))[0] for svg in (card.logo, card.match_logo)]
    assert float(first[0]) - float(first[1]) == 16
    boxes = [re.search(r'viewBox="([^"]+)"', str(svg)).group(1) for svg in (card.logo, card.match_logo)]  # type: ignore[union-attr]
    assert boxes[0] == boxes[1]


def test_no_matrix_of_the_match_no_logo_of_it(results) -> None:
    data = results.dataset("data", ["A"])
    results.entry(data, "cnn", 0.9, motifs=["JUN"])
    (found,) = read_results(results.manifest).datasets
    card = cards(found.entries[0], {}).cards[0]
    assert card.significant
    assert card.match_logo is None
    assert isinstance(card.motif, Motif)


def test_matched_filters_come_first_and_one_of_each_matrix_before_further_ones() -> None:
    def motif(name: str, influence: float, matrix: str | None, q: float = 0.01) -> Motif:
        match = None if matrix is None else Match(matrix, matrix, (), q, "+")
        return Motif(name, "filter", None, None, np.full((4, 3), 0.25), match, influence=influence)

    motifs = [
        motif("strong", 9.0, None), motif("doubtful", 8.0, "MA3", q=0.5),
        motif("second", 2.0, "MA1"), motif("third", 1.0, "MA1"), motif("first", 3.0, "MA1"), motif("other", 0.5, "MA2"),
    ]  # fmt: skip
    assert [found.name for found in ranking(motifs)] == ["first", "other", "second", "third", "strong", "doubtful"]
