from pathlib import Path

import numpy as np
import pytest

from lociflow.interpretation.attention import AttentionMaps, write_attention
from lociflow.report.attention_figures import agreement_of, attention_figures, example_row, position_centres
from lociflow.report.page import render
from lociflow.report.provenance import provenance_of
from lociflow.report.read_results import read_results


def maps(positions: int, kind: str, track: str | None = None) -> AttentionMaps:
    draws = np.random.default_rng(1)
    received = draws.dirichlet(np.ones(positions), 5).astype(np.float32)
    received[:, 1] += 1
    rows = positions if kind == "map" else 0
    meta = {"model": "m", "length": 200, "heads": 4, "kind": kind, "method": "x", "track": track, "targets": []}
    along = np.tile(np.arange(positions, dtype=np.float32), (5, 1)) if track else np.empty((5, 0), np.float32)
    nothing = np.full(5, np.nan, np.float32)
    with_track = np.array([0.2, 0.4, 0.2, np.nan, 0.0], np.float32) if track else nothing
    return AttentionMaps(
        np.arange(5), np.zeros(5), received, received, np.array([0.5, np.nan, 0.1, 0.3, 0.9], np.float32),
        np.full((rows, positions), 1 / positions, np.float32), np.array([0]),
        np.zeros((1, rows, positions), np.float16), along, with_track, with_track - 0.1, meta,
    )  # fmt: skip


def test_centres_are_counted_from_the_middle_of_the_window() -> None:
    assert position_centres(maps(4, "pool")).tolist() == [-75, -25, 25, 75]


def test_the_example_is_the_median_window() -> None:
    found = maps(4, "pool")
    assert example_row(found) == 0
    assert example_row(found._replace(agreement=np.full(5, np.nan))) == 0
    assert agreement_of(found).startswith("rank correlation with contributions 0.40 in the median window (middle half")
    assert agreement_of(found).endswith("; undefined in 1 of 5)")
    assert agreement_of(found._replace(agreement=np.full(5, np.nan))).endswith("undefined")


@pytest.mark.parametrize("kind", ["map", "pool"])
def test_the_page_shows_attention_of_those_who_tell(results, tmp_path: Path, kind: str) -> None:
    data = results.dataset("data", ["A"])
    entry = results.entry(data, "satori_small", 0.9)
    results.entry(data, "cnn", 0.9)
    entry["attention"] = str(tmp_path / "attention.npz")
    write_attention(tmp_path / "attention.npz", maps(20, kind))
    read = read_results(results.manifest)
    (figure,) = attention_figures(read.datasets[0])
    assert figure.caption.startswith("satori_small: 4 heads, 5 windows; rank correlation with contributions 0.40")
    assert "-85 bases from the middle" in figure.svg
    assert ("mean map" in figure.svg) == (kind == "map")
    page = render(read, provenance_of(results.manifest))
    assert 'id="attention"' in page
    assert "Attention is not an explanation" in page


def test_the_track_stands_beside_attention_and_contributions(results, tmp_path: Path) -> None:
    found = maps(20, "pool", "DNase")
    assert "; with DNase 0.20 in the median window (middle half 0.15 to 0.25; undefined in 1 of 5), " in agreement_of(
        found
    )
    assert "where contributions have 0.10 in the median window" in agreement_of(found)
    entry = results.entry(results.dataset("data", ["A"]), "satori_small", 0.9)
    entry["attention"] = str(tmp_path / "attention.npz")
    write_attention(tmp_path / "attention.npz", found)
    (figure,) = attention_figures(read_results(results.manifest).datasets[0])
    assert "with DNase 0.20" in figure.caption
    assert ">DNase<" in figure.svg


def test_a_track_that_is_unknown_in_the_example_is_not_drawn_and_breaks_nothing(results, tmp_path: Path) -> None:
    found = maps(20, "map", "DNase")
    found = found._replace(track=np.full_like(found.track, np.nan), track_agreement=np.full(5, np.nan))
    entry = results.entry(results.dataset("data", ["A"]), "satori_small", 0.9)
    entry["attention"] = str(tmp_path / "attention.npz")
    write_attention(tmp_path / "attention.npz", found)
    (figure,) = attention_figures(read_results(results.manifest).datasets[0])
    assert "with DNase undefined" in figure.caption


def test_without_attention_the_page_has_no_such_section(results) -> None:
    results.entry(results.dataset("data", ["A"]), "cnn", 0.9)
    assert 'id="attention"' not in render(read_results(results.manifest), provenance_of(results.manifest))
