import re
from xml.etree import ElementTree

import numpy as np
import pytest

from lociflow.report.drawing import standalone
from lociflow.report.loci import Locus, Site, Track, Window
from lociflow.report.loci_figures import caption, contribution_limits, draw_locus, lanes, strongest

USE = re.compile(r'<use href="#logo-(.)" transform="matrix\((\S+) 0 0 (\S+) (\S+) (\S+)\)"/>')


def track(values: list[float], word: str, name: str = "cnn") -> Track:
    codes = np.array(["ACGT".index(base) for base in word], np.uint8)
    return Track(name, 0.9, "deep_lift_shap", Window(codes, np.array(values, float)))


LOCUS = Locus(
    target="JUN", lowest=False, choice=3, contig="chrX", start=1000, end=1004, reverse=False, bin=(900, 1002),
    positives=("JUN", "MYC"), tracks=(track([2, -1, 0, 1], "GATC"),), unseen=(), sites=None, beyond=0,
)  # fmt: skip


def test_letters_are_as_high_as_what_they_contribute() -> None:
    figure = draw_locus(LOCUS, "data", 1)
    found = USE.findall(figure.svg)
    assert [letter for letter, *_ in found] == ["G", "A", "C"]
    width, height, left, baseline = np.array([values for _, *values in found], float).T
    np.testing.assert_allclose(height / height[2], [2, -1, 1], rtol=1e-3)
    assert len(set(width)) == len(set(baseline)) == 1
    # Nothing is drawn of the third base, whose place stays free.
    np.testing.assert_allclose(np.diff(left), (width[0] / 0.92) * np.array([1, 2]), rtol=1e-2)


def test_letters_stand_on_the_ticks_of_their_axes() -> None:
    text = standalone(draw_locus(LOCUS, "data", 1).svg)
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    uses = [
        element
        for element in root.iter("{http://www.w3.org/2000/svg}use")
        if "matrix" in (element.get("transform") or "")
    ]
    for element in uses:
        numbers = [float(value) for value in re.findall(r"-?[\d.]+", element.attrib["transform"])]
        assert 0 < numbers[4] < numbers[4] + numbers[0] < width
        assert 0 < numbers[5] - numbers[3] < height
    assert "#logo-G" in text
    assert '<path id="logo-G"' in text


def test_all_models_have_one_scale() -> None:
    locus = LOCUS._replace(tracks=(track([2, -1, 0, 1], "GATC"), track([0.5, 0, 0, 0], "GATC", "danq")))
    low, high = contribution_limits(locus)
    assert (low, high) == pytest.approx((-1.12, 2.12))
    heights = [
        float(height) for letter, _, height, *_ in USE.findall(draw_locus(locus, "data", 1).svg) if letter == "G"
    ]
    assert heights[0] / heights[1] == pytest.approx(4, rel=1e-2)
    assert contribution_limits(LOCUS._replace(tracks=(track([0, 0], "AC"),))) == (0, 1)


def test_the_text_alternative_says_what_is_seen() -> None:
    sites = (Site(1001, 1003, "JUN", bound=True, own=True), Site(1003, 1007, "MYC", bound=False, own=False))
    svg = draw_locus(LOCUS._replace(sites=sites), "data", 2).svg
    assert 'data-name="data/locus-2-JUN"' in svg
    assert (
        'aria-label="Contribution of each base of chrX:1,001-1,004 of data to the predictions for JUN. Positive for '
        "JUN, MYC. cnn: probability 0.900, most from GATC at 1,001-1,004, +2.00 in sum. Planted motifs: JUN at "
        '1,002-1,003; MYC, not bound, at 1,004-1,007."'
    ) in svg
    for text in ("chrX:1,001-1,004: positive for JUN", "cnn: probability 0.900", "contribution (log odds)", "MYC"):
        assert f">{text}</text>" in svg


def test_the_strongest_stretch() -> None:
    values = [0.0] * 30
    values[10:22] = [1.0] * 12
    first, last, word, total = strongest(track(values, "A" * 10 + "ACGT" * 3 + "A" * 8))
    assert (first, last, word, total) == (10, 22, "ACGTACGTACGT", 12)


def test_the_caption_says_how_it_was_chosen_and_what_is_left_out() -> None:
    assert caption(LOCUS) == (
        "The highest probability of cnn among the 3 test windows positive for JUN and explained; contributions by "
        "deep_lift_shap"
    )
    other = track([0, 0, 0, 0], "GATC", "danq")._replace(method="integrated_gradients")
    locus = LOCUS._replace(
        lowest=True, reverse=True, unseen=("bpnet",), tracks=(*LOCUS.tracks, other), sites=(), beyond=2
    )
    assert caption(locus) == (
        "The lowest probability of cnn among the 3 test windows positive for JUN and explained for all models shown; "
        "contributions by deep_lift_shap (cnn) and integrated_gradients (danq), on one scale; 2 planted sites of JUN "
        "in the window, outside this stretch; the models read the − strand, shown is the + strand; explained but not "
        "shown: bpnet"
    )
    assert caption(LOCUS._replace(sites=())).endswith("; no planted site of JUN in the window")


def test_names_of_sites_do_not_lie_on_each_other() -> None:
    def site(start: int, end: int, factor: str = "A") -> Site:
        return Site(start, end, factor, bound=True, own=True)

    assert lanes(()) == []
    assert lanes((site(0, 10), site(20, 30))) == [0, 0]
    assert lanes((site(0, 10), site(10, 20), site(21, 30))) == [0, 1, 0]
    assert lanes((site(0, 10), site(14, 18, "A_LONG_NAME"), site(40, 50))) == [0, 1, 0]


def test_a_target_may_have_any_name() -> None:
    locus = LOCUS._replace(target="a/b <$x$>", positives=("a/b <$x$>",))
    svg = draw_locus(locus, "data", 1).svg
    assert 'data-name="data/locus-1-a_b &lt;$x$&gt;"' in svg
    assert "positive: a/b &lt;$x$&gt;" in svg
