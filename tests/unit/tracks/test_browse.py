import re
import xml.etree.ElementTree as ElementTree

import pytest

from lociflow.command import UserError, write_json
from lociflow.formats import stamp
from lociflow.tracks.browse import browse_tracks

NAMES = ["Reb1", "a target & more with a name that is far too long to be shown in one line of a browser: more"]


@pytest.fixture
def folder(tmp_path):
    """Files as the steps before write them, empty."""
    place = tmp_path / "results/toy/holdout/model/tracks/all"
    tracks = [{"name": name, "file": f"{number}.bw"} for number, name in enumerate(NAMES)]
    for kind in ("predictions", "attributions"):
        (place / kind).mkdir(parents=True)
        for track in tracks:
            (place / kind / track["file"]).touch()
    (place / "split.bed").touch()
    about = {"model": "deepsea_small", "dataset": "toy", "genome": "sacCer3", "locus": "chrIV:1-50000"}
    write_json(place / "tracks.json", {**stamp("tracks"), **about, "unit": "probability", "tracks": tracks})
    explained = {"method": "saturation", "unit": "contribution", "tracks": tracks[:1]}
    write_json(place / "attributions.json", {**stamp("attribution tracks"), **explained})
    for file in ("resources/sequences/sacCer3/genome.fa.gz", "resources/sources/a.narrowPeak.gz", "resources/a.bam"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return place


def browse(folder, tmp_path, explained=True):
    files = [("Reb1 & Rap1", "resources/sources/a.narrowPeak.gz"), ("reads", "resources/a.bam")]
    browse_tracks(
        folder / "predictions",
        folder / "tracks.json",
        folder / "split.bed",
        tmp_path / "resources/sequences/sacCer3/genome.fa.gz",
        folder / "igv_session.xml",
        folder / "hub.txt",
        [{"name": name, "file": str(tmp_path / file)} for name, file in files],
        folder / "attributions" if explained else None,
        folder / "attributions.json" if explained else None,
    )


def stanzas(path):
    """Read a hub by the rules of its format: stanzas between blank lines, each line a setting and its value."""
    found = []
    for text in path.read_text().strip().split("\n\n"):
        lines = [line.split(" ", 1) for line in text.split("\n")]
        assert all(len(line) == 2 and line[1].strip() for line in lines)
        assert len({key for key, _ in lines}) == len(lines)
        found.append(dict(lines))
    return found


def test_every_file_of_a_session_exists(folder, tmp_path):
    browse(folder, tmp_path)
    root = ElementTree.parse(folder / "igv_session.xml").getroot()
    assert root.tag == "Session"
    assert root.attrib["locus"] == "chrIV:1-50000"
    paths = [resource.attrib["path"] for resource in root.iter("Resource")]
    for path in (*paths, root.attrib["genome"]):
        assert not path.startswith("/")
        assert (folder / path).resolve().is_file(), path
    tracks = {track.attrib["id"]: track.attrib["name"] for track in root.iter("Track")}
    assert list(tracks) == paths
    assert list(tracks.values()) == [
        *(f"{name}, predicted" for name in NAMES), "Reb1, contribution (saturation)", "Reb1 & Rap1, observed", "split",
    ]  # fmt: skip
    # Probabilities are drawn from 0 to 1, what has no bounds as the browser likes.
    ranges = [(track.find("DataRange") is not None, track.attrib["autoScale"]) for track in root.iter("Track")]
    assert ranges == [(True, "false")] * 2 + [(False, "true")] * 3


def test_files_that_need_an_index_are_left_out_and_told(folder, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("lociflow.command.LOGGER.propagate", True)
    with caplog.at_level("INFO", logger="lociflow"):
        browse(folder, tmp_path)
    assert "not in the session, which shows files that need no index: a.bam" in caplog.text
    assert "a.bam" not in (folder / "igv_session.xml").read_text()


def test_a_hub_has_what_ucsc_asks_for(folder, tmp_path):
    browse(folder, tmp_path)
    hub, genome, *tracks = stanzas(folder / "hub.txt")
    # What trackHub.c of the UCSC tools refuses to do without, and the genome in the same file.
    assert {"hub", "shortLabel", "longLabel", "email"} <= hub.keys()
    assert hub["useOneFile"] == "on"
    assert " " not in hub["hub"]
    assert genome == {"genome": "sacCer3"}
    for track in tracks:
        assert {"track", "type", "bigDataUrl", "shortLabel", "longLabel"} <= track.keys()
        assert track["type"] == "bigWig"
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", track["track"])
        assert (folder / track["bigDataUrl"]).is_file()
        assert ".." not in track["bigDataUrl"]
        assert len(track["shortLabel"]) <= 17
        assert len(track["longLabel"]) <= 76
        assert re.fullmatch(r"\d+,\d+,\d+", track["color"])
    assert len({track["track"] for track in tracks}) == len(tracks) == 3
    assert [track.get("viewLimits") for track in tracks] == ["0:1", "0:1", None]


def test_without_explanations_predictions_stand_alone(folder, tmp_path):
    browse(folder, tmp_path, explained=False)
    assert len(stanzas(folder / "hub.txt")) == 2 + len(NAMES)


def test_files_of_another_kind_are_refused(folder, tmp_path):
    (folder / "tracks.json").write_text("{}")
    with pytest.raises(UserError, match=r"tracks.json: found no format version none, expected tracks version 1"):
        browse(folder, tmp_path)
