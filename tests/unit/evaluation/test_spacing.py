"""Pairs against decoys on bins whose motifs are typed by hand."""

import numpy as np
import pandas as pd
import pytest

from lociflow.evaluation.intervals import draw_blocks
from lociflow.evaluation.spacing import kinds_of_bins, spacing_scores
from lociflow.genome.simulation import SITE_COLUMNS

SAME = {"factor": "X", "partner": "Y", "gap": [1, 4], "orientation": "same"}
BIN = 100


def site(start, factor, strand, bound, element, contig="c"):
    return (contig, start, start + 6, strand, factor, "pair", bound, "M", "ACGTAC", element)


def table(*rows):
    return pd.DataFrame(rows, columns=list(SITE_COLUMNS))


def bins(count, contig="c"):
    start = np.arange(count) * BIN
    return pd.DataFrame({"contig": [contig] * count, "start": start, "end": start + BIN})


SITES = table(
    site(10, "Y", "+", 1, 0), site(20, "X", "+", 1, 0),  # a pair
    site(110, "Y", "-", 1, 1), site(120, "X", "+", 0, 1),  # inverted
    site(210, "Y", "+", 1, 2), site(260, "X", "+", 0, 2),  # too far
    site(310, "X", "+", 0, 3),  # alone
    site(410, "X", "+", 0, 4), site(430, "X", "-", 0, 5),  # two motifs of the factor
    site(510, "Y", "+", 1, 6),  # the partner alone
    site(697, "X", "+", 0, 7),  # its middle, 700, is the next bin's first base
    site(20, "X", "+", 1, 8, contig="d"),
)  # fmt: skip


def test_each_bin_is_called_by_its_one_motif_of_the_factor():
    assert kinds_of_bins(bins(8), SITES, SAME).tolist() == [
        "pair", "inverted", "distant", "lone", "", "", "", "lone",
    ]  # fmt: skip


def test_with_the_opposite_rule_the_two_decoys_change_names():
    found = kinds_of_bins(bins(3), SITES, {**SAME, "orientation": "opposite"})
    assert found.tolist() == ["pair", "distant", "inverted"]


def test_the_order_of_the_bins_does_not_matter():
    turned = bins(8).iloc[::-1]
    assert kinds_of_bins(turned, SITES, SAME).tolist()[::-1] == kinds_of_bins(bins(8), SITES, SAME).tolist()


def test_scores_are_the_share_of_pairs_above_decoys():
    count = 40
    rows = []
    for number in range(count):
        start = number * BIN
        # Even bins hold a pair, odd ones an inverted pair; elements are numbered like bins.
        rows += [
            site(start + 10, "Y", "+" if number % 2 == 0 else "-", 1, number),
            site(start + 20, "X", "+", int(number % 2 == 0), number),
        ]
    scores = np.where(np.arange(count) % 2 == 0, 0.9, 0.1)
    scores[[0, 1]] = 0.1, 0.9  # one pair below all decoys, one decoy above all pairs
    blocks = np.arange(count)
    found = spacing_scores(bins(count), scores, table(*rows), SAME, blocks, draw_blocks(count, 50, 0), 0.95)
    assert (found["factor"], found["partner"]) == ("X", "Y")
    # 19 of 20 pairs stand above 19 of 20 decoys and tie with the decoy of bin 1; the pair of bin 0 ties with 19 decoys.
    assert found["inverted"]["auroc"] == pytest.approx((19 * 19 + 19 / 2 + 19 / 2) / 400)
    assert found["inverted"]["low"] < found["inverted"]["auroc"] <= found["inverted"]["high"]
    assert (found["inverted"]["pairs"], found["inverted"]["decoys"]) == (20, 20)
    assert found["distant"]["auroc"] is None
    assert found["lone"]["decoys"] == 0
