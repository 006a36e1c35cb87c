from pathlib import Path
from typing import Any

import pytest

from lociflow.command import UserError, write_json
from lociflow.formats import stamp
from lociflow.report.page import Provenance, render
from lociflow.report.read_results import read_results

PROVENANCE = Provenance({"python": "3.11.7"}, "abc123", ("snakemake --cores all",))
CONTIGS = {
    "chrIV": {"train": 0, "validation": 0, "test": 30, "none": 1200},
    "chrV": {"train": 70, "validation": 0, "test": 0, "none": 4},
}


@pytest.fixture
def predicted(simulated: Any, tmp_path: Path) -> Any:
    folders = [tmp_path / name for name in ("explained", "plain")]
    for folder in folders:
        tracks = [{"name": name, "file": f"{name}.bw"} for name in ("REB1", "ABF1")]
        about = {"tracks": tracks, "unit": "probability", "contigs": CONTIGS, "tiles": 1304}
        write_json(folder / "tracks.json", {**stamp("tracks"), **about})
    contributions = {"method": "deep_lift_shap", "tracks": [{"name": "REB1", "file": "REB1.bw"}]}
    write_json(folders[0] / "attributions.json", {**stamp("attribution tracks"), **contributions})
    simulated.manifest["tracks"] = [
        {
            "dataset": "simulated", "split": "holdout", "model": model, "regions": "chrIV", "folder": str(folder),
            "explained": folder.name == "explained",
        }
        for model, folder in zip(("danq_small", "cnn"), folders, strict=True)
    ]  # fmt: skip
    return simulated


def test_the_page_says_what_there_is_and_how_to_open_it(predicted: Any) -> None:
    page = render(read_results(predicted.manifest), PROVENANCE)
    section = page[page.index('<section id="genome"') :].partition("</section>")[0]
    assert "2 (probability): REB1, ABF1" in section
    assert section.count("70 train, 30 test, 1,204 none") == 2
    assert "1 (deep_lift_shap)" in section
    assert "none: not explained" in section
    for told in (
        "igv_session.xml",
        "hub.txt",
        "Open Session",
        *(one["folder"] for one in predicted.manifest["tracks"]),
    ):
        assert told in section
    assert '<a href="#genome">' in page


def test_tracks_of_another_kind_are_refused(predicted: Any) -> None:
    folder = Path(predicted.manifest["tracks"][0]["folder"])
    write_json(folder / "tracks.json", {**stamp("attribution tracks"), "tracks": []})
    with pytest.raises(UserError, match="expected tracks version 1"):
        read_results(predicted.manifest)
