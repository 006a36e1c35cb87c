from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lociflow.command import UserError
from lociflow.genome.simulation import SITE_COLUMNS
from lociflow.interpretation.attributions import read_attributions, write_attributions
from lociflow.report.loci import Choice, Site, Window, choose, crop, read_loci, shared_windows, sites_in

WORD = "TGACGTCACC"


def letters(window: Window) -> str:
    return "".join("ACGT"[code] for code in window.codes)


def test_of_each_target_the_likeliest_window_and_of_the_first_one_that_is_missed() -> None:
    found = choose({2: {7: 0.3, 9: 0.8, 4: 0.8, 5: 0.1, 3: 0.1}, 5: {1: 0.2, 8: 0.1}})
    assert found == [Choice(2, 4, False, 5), Choice(2, 3, True, 5), Choice(5, 1, False, 2)]
    assert choose({0: {6: 0.4}}) == [Choice(0, 6, False, 1)]


def test_models_are_shown_on_windows_that_all_of_them_explain() -> None:
    explained = {"none": set(), "a": {(0, 1), (0, 2)}, "other": {(1, 1)}, "b": {(0, 2), (0, 3)}}
    assert shared_windows(explained) == (["a", "b"], {(0, 2)})
    assert shared_windows({str(number): {(0, 1)} for number in range(5)})[0] == ["0", "1", "2", "3"]
    assert shared_windows({}) == ([], set())


def test_the_crop_has_what_contributes_in_its_middle() -> None:
    values = np.zeros(100)
    values[30:34] = (1, -1, 1, -1)
    # Bases 30 to 33 are the third to sixth of eight from base 28; the middle of the window is base 50.
    assert crop([values], 8) == (28 - 50, 8)
    assert crop([values, np.concatenate([np.zeros(50), 1000 * values, np.zeros(50)])], 8) == (28 - 50, 8)
    assert crop([np.pad(values, 10), np.ones(7)], 8) == (-3, 7)
    assert crop([np.zeros(9)], 4) == (-4, 4)


def test_models_on_other_scales_count_alike() -> None:
    strong, weak = np.zeros(40), np.zeros(40)
    strong[5], weak[[20, 21]] = 100, 0.5
    both = strong + np.roll(strong, 15)
    assert crop([strong, weak, weak], 2)[0] == 0
    assert crop([both, weak], 2)[0] == 0


def test_a_window_of_the_other_strand_is_turned() -> None:
    found = Window(np.array([0, 1, 1, 3], np.uint8), np.array([1.0, 2.0, 3.0, 4.0])).forward()
    assert letters(found) == "AGGT"
    np.testing.assert_array_equal(found.contributions, [4, 3, 2, 1])


@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_read_of_a_window(results, reverse) -> None:
    data = results.dataset("simulated", ["JUN", "MYC"], planted=True)
    results.explain(data, *(results.entry(data, model, 0.9) for model in ("cnn", "danq")), reverse=reverse)
    best, missed = read_loci(data)
    assert (best.target, best.lowest, best.choice, best.bin) == ("JUN", False, 3, (1000, 1200))
    assert (missed.target, missed.lowest, missed.bin, missed.positives) == ("JUN", True, (3000, 3200), ("JUN",))
    assert best.positives == ("JUN", "MYC")
    assert (best.contig, best.reverse, best.unseen, best.beyond) == ("chrX", reverse, (), 0)
    assert [(track.name, track.method) for track in best.tracks] == [
        ("cnn", "deep_lift_shap"), ("danq", "deep_lift_shap"),
    ]  # fmt: skip
    assert [round(locus.tracks[0].probability, 6) for locus in (best, missed)] == [0.9, 0.25]
    # The word lies on 1095 to 1105 in either direction, in the middle of 120 bases.
    assert (best.start, best.end) == (1040, 1160)
    bases = best.tracks[1].bases
    assert letters(bases)[55:65] == ("GGTGACGTCA" if reverse else WORD)
    np.testing.assert_array_equal(np.flatnonzero(bases.contributions), np.arange(55, 65))
    assert best.sites == (Site(1095, 1105, "JUN", bound=True, own=True),)
    assert missed.sites == ()


def test_sites_of_the_target_of_other_factors_and_decoys() -> None:
    rows = [
        ("c", 10, 15, "+", "A", "site", 1), ("c", 20, 25, "-", "A", "decoy", 0), ("c", 30, 35, "+", "B", "site", 1),
        ("c", 35, 40, "+", "A", "site", 1), ("d", 20, 25, "+", "A", "site", 1),
    ]  # fmt: skip
    table = pd.DataFrame([(*row, "M", "N", 0) for row in rows], columns=list(SITE_COLUMNS))
    assert sites_in(table, "A", "c", 14, 35) == (
        Site(10, 15, "A", bound=True, own=True), Site(20, 25, "A", bound=False, own=False),
        Site(30, 35, "B", bound=True, own=False),
    )  # fmt: skip


def test_a_site_outside_the_stretch_is_counted(results) -> None:
    data = results.dataset("simulated", ["JUN", "MYC"], planted=True)
    results.explain(data, results.entry(data, "cnn", 0.9))
    table = pd.read_csv(data["sites"], sep="\t")
    # Ends at the first base of the stretch from 1040; the window begins at 1000.
    table.assign(start=1030, end=1040).to_csv(data["sites"], sep="\t", index=False)
    best, missed = read_loci(data)
    assert (best.sites, best.beyond, missed.beyond) == ((), 1, 0)


def test_controls_come_last_and_what_explains_other_windows_is_left_out(results) -> None:
    data = results.dataset("data", ["JUN", "MYC"])
    control = results.entry(data, "cnn", 0.5, kind="control", variant="untrained")
    entries = [results.entry(data, model, 0.9) for model in ("cnn", "danq")]
    results.explain(data, control, *entries)
    assert [track.name for track in read_loci(data)[0].tracks] == ["cnn", "danq", "cnn+untrained"]
    path = Path(entries[1]["attributions"])
    found = read_attributions(path)
    write_attributions(path, found._replace(target=found.target + 1))
    (best, _) = read_loci(data)
    assert [track.name for track in best.tracks] == ["cnn", "cnn+untrained"]
    assert best.unseen == ("danq",)
    assert best.sites is None


def test_nothing_explained_nothing_shown(results) -> None:
    data = results.dataset("data", ["JUN"])
    results.entry(data, "cnn", 0.9)
    assert read_loci(data) == ()


def test_a_window_without_prediction_is_refused(results) -> None:
    data = results.dataset("data", ["JUN"])
    entry = results.entry(data, "cnn", 0.9)
    results.explain(data, entry)
    path = Path(entry["attributions"])
    found = read_attributions(path)
    write_attributions(path, found._replace(bin=found.bin + 10))
    with pytest.raises(UserError, match=r"predictions.parquet: has no prediction for bin 11, expected one for each"):
        read_loci(data)
