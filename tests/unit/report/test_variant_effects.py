import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lociflow.command import UserError, write_json
from lociflow.effects.region import Region, heat_map_files
from lociflow.effects.saturation_figure import Drawn, draw_saturation
from lociflow.formats import stamp
from lociflow.report.heat_maps import heat_map_figures
from lociflow.report.page import Provenance, render, write_page
from lociflow.report.read_results import read_results

PROVENANCE = Provenance({"python": "3.11.7"}, "abc123", ("snakemake --cores all",))
LARGEST = {
    "contig": "chr7", "position": 5_530_100, "id": "rs1", "ref": "A", "alt": "G" * 40, "target": "b/c", "effect": -0.25,
    "sd": 0.03, "percentile": 99.9,
}  # fmt: skip


def counts(**changed: Any) -> dict[str, Any]:
    return {
        **stamp("variant effects"), "records": 1200, "alleles": 1234, "scored": 1200, "mismatches": 3,
        "skipped": {"other_contig": 30, "symbolic": 4}, "targets": ["a", "b/c"], "statistic": "difference",
        "background": 1000, "largest": [LARGEST, {**LARGEST, "id": ".", "effect": 0.125, "sd": None}], **changed,
    }  # fmt: skip


@pytest.fixture
def scored(simulated: Any, tmp_path: Path) -> Any:
    """A run that has scored a file of variants and a region of two bases, for four targets."""
    folder = tmp_path / "effects/seeds-1-2"
    write_json(folder / "calls.json", counts())
    rows = ["contig\tposition\tref\talt\ttarget\treference\talternative\tdifference\tlog_odds_ratio\tsd"]
    effects = {"a": 0.1, "b/c": -0.4, "d": 0.2, "e": 0.05}
    files = heat_map_files(list(effects))
    for target, effect in effects.items():
        for position, letter in ((11, "A"), (12, "C")):
            rows += [
                f"c1\t{position}\t{letter}\t{other}\t{target}\t0.5\t0.5\t{effect * (position - 10) / 2}\t.\t."
                for other in "ACGT"
                if other != letter
            ]
        matrix = np.full((4, 2), effect)
        matrix[[0, 1], [0, 1]] = np.nan
        drawn = Drawn(matrix, "AC", Region("c1", 10, 12), target, "difference", True)
        draw_saturation(drawn, folder / "saturation/site" / files[target])
    (folder / "saturation/site.tsv").write_text("\n".join(rows) + "\n")
    simulated.manifest["variant_effects"] = [
        {
            "dataset": "simulated", "split": "holdout", "model": "danq_small+long", "seeds": [1, 2],
            "folder": str(folder), "files": ["calls"], "saturation": {"site": "c1:11-12"},
        }
    ]  # fmt: skip
    return simulated


def test_the_page_has_counts_largest_effects_and_heat_maps(scored: Any) -> None:
    results = read_results(scored.manifest)
    page = render(results, PROVENANCE)
    section = page[page.index('<section id="variants"') :].partition("</section>")[0]
    for cell in ("1,200", "1,234", "30 other contig, 4 symbolic", "chr7:5,530,100 (rs1)", "−0.250", "0.030", "99.9"):
        assert f">{cell}<" in section, cell
    assert "A → GGGGGGGGGGGG…" in section
    assert "2 seeds (1, 2)" in section
    assert scored.manifest["variant_effects"][0]["folder"] in section
    assert section.count("<svg ") == 3
    assert "the heat maps of all 4 lie in" in section
    assert '<a href="#variants">' in page


def test_heat_maps_are_those_of_the_largest_effects(scored: Any) -> None:
    (effects,) = read_results(scored.manifest).variant_effects
    assert [heat_map.target for heat_map in effects.heat_maps] == ["b/c", "d", "a"]
    first, *others = heat_map_figures(effects)
    assert "Largest effect: C to A at c1:12, −0.400." in first.caption
    assert 'aria-label="Heat map of every substitution of c1:11-12 by danq_small+long, for b/c' in first.svg
    assert 'data-name="simulated/saturation-danq_small+long-site-b_c"' in first.svg
    ids = [part.partition('"')[0] for figure in (first, *others) for part in str(figure.svg).split(' id="')[1:]]
    assert ids
    assert len(ids) == len(set(ids))


def test_targets_that_differ_in_what_files_cannot_hold_have_their_own_heat_maps(scored: Any, tmp_path: Path) -> None:
    folder = Path(scored.manifest["variant_effects"][0]["folder"])
    rows = [f"c1\t11\tA\tC\t{target}\t{effect}" for target, effect in (("a b", 0.1), ("a_b", 0.9), ("1", 0.5))]
    (folder / "saturation/site.tsv").write_text("\n".join(["contig\tposition\tref\talt\ttarget\tdifference", *rows]))
    drawn = '<svg viewBox="0 0 9 9"><title>{}</title></svg>'
    for name, told in (("a_b", "a b"), ("a_b-2", "a_b"), ("1", "1")):
        (folder / f"saturation/site/{name}.svg").write_text(drawn.format(told))
    (effects,) = read_results(scored.manifest).variant_effects
    assert [(one.target, one.svg) for one in effects.heat_maps] == [
        (target, drawn.format(target)) for target in ("a_b", "1", "a b")
    ]
    names = [str(figure.svg).partition('data-name="')[2].partition('"')[0] for figure in heat_map_figures(effects)]
    assert len(set(names)) == 3


def test_heat_maps_become_files_beside_the_page(scored: Any, tmp_path: Path) -> None:
    write_page(scored.manifest, tmp_path / "report.html", tmp_path / "figures")
    assert (tmp_path / "figures/simulated/saturation-danq_small+long-site-b_c.svg").exists()


def test_per_base_labels_have_the_larger_of_gain_and_loss(scored: Any) -> None:
    table = Path(scored.manifest["variant_effects"][0]["folder"]) / "saturation/site.tsv"
    rows = [
        f"c1\t11\tA\tC\t{target}\t{gain}\t0\t{loss}\t0\t." for target, gain, loss in (("a", 0.1, 0.9), ("d", 0.5, 0))
    ]
    table.write_text(
        "\n".join(["contig\tposition\tref\talt\ttarget\tgain\tgain_position\tloss\tloss_position\tsd", *rows])
    )
    (effects,) = read_results(scored.manifest).variant_effects
    assert [(found.target, found.largest["effect"]) for found in effects.heat_maps] == [("a", 0.9), ("d", 0.5)]


def test_counts_of_another_version_are_refused(scored: Any) -> None:
    path = Path(scored.manifest["variant_effects"][0]["folder"]) / "calls.json"
    path.write_text(json.dumps({**counts(), "version": 0}))
    with pytest.raises(UserError, match="expected variant effects version 1"):
        read_results(scored.manifest)


def test_a_run_without_variants_has_no_section(simulated: Any) -> None:
    page = render(read_results(simulated.manifest), PROVENANCE)
    assert 'id="variants"' not in page
    assert 'id="genome"' not in page
