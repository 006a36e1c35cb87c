"""Names of targets and contigs that mean something to what they are written into stay names."""

import urllib.parse
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from groups import refusal
from hypothesis import given
from hypothesis import strategies as st

from lociflow.effects.annotate import _encoded, annotated_fields, info_lines
from lociflow.effects.region import Region
from lociflow.effects.saturation_figure import Drawn, draw_saturation
from lociflow.file_names import file_names
from lociflow.genome.target_labels import TargetLabels
from lociflow.models.outputs import Outputs
from lociflow.sequence.fasta import read_fasta
from lociflow.tracks.browse import Shown, write_hub, write_session

HOSTILE = (
    "a;LF_MISMATCH",
    "a=1,b|c",
    "a%3Bb",
    "a b\u2028c",
    'a"b>',
    "</script><script>alert(1)</script>",
    '" onload="alert(1)',
    "</svg><svg onload=alert(1)>",
    "]]><!-- ${HOME} `id` {{ 7 * 7 }}",
    r"A$\foo$",
    "../../etc/passwd",
    "..",
    "-rf",
    "CON",
    "x" * 300,
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_in_an_info_field_ends_no_field_and_can_be_read_back(name):
    found = _encoded(name)
    assert not set(found) & set(";=,| \t\r\n\x00\x0b\u2028\u00a0")
    assert urllib.parse.unquote(found) == name


def test_header_lines_hold_no_name_of_a_target():
    assert info_lines(Outputs("binary", HOSTILE), 9) == info_lines(Outputs("binary", tuple("A" * len(HOSTILE))), 9)
    assert all(line.count('"') == 2 and line.endswith('">') for line in info_lines(Outputs("binary", HOSTILE), 9))


def test_the_fields_of_a_record_stay_as_many_as_they_are():
    class Record:
        fields = ("c1", "7", ".", "A", "C", ".", ".", "OLD=1")
        alternatives = ("C",)

    class Seen:
        record, reasons, mismatch = Record, (None,), False

    class Made:
        judged = Seen
        rows = [{"effect": np.zeros(len(HOSTILE)), "percentile": np.zeros(len(HOSTILE))}]
        effects = [np.arange(len(HOSTILE), dtype=float)]

    fields = annotated_fields(Made, HOSTILE)
    assert len(fields) == 8
    keys = [one.partition("=")[0] for one in fields[7].split(";")]
    assert keys == ["OLD", "LF", "LF_EFFECT", "LF_TARGET", "LF_PERCENTILE"]
    items = fields[7].split(";")[1].partition("=")[2].split(",")
    assert [urllib.parse.unquote(item.split("|")[1]) for item in items] == list(HOSTILE)


def test_tracks_have_files_of_their_own_within_their_folder():
    found = file_names(HOSTILE, ".bw")
    assert len({name.lower() for name in found}) == len(HOSTILE)
    for name in found:
        assert "/" not in name
        assert len(name) < 120
        assert not name.startswith(".")


def test_a_hub_has_the_stanzas_and_settings_that_it_should(tmp_path):
    names = [*HOSTILE, "a\nbigDataUrl https://evil.org/x.bw", "a\n\ntrack evil\ntype bigWig"]
    tracks = [Shown(tmp_path / file, name, "1,2,3") for name, file in zip(names, file_names(names, ".bw"), strict=True)]
    write_hub(tmp_path / "hub.txt", "model\nemail evil@evil.org", "sacCer3", tracks, "me@a.org")
    stanzas = [
        [line.split(" ", 1)[0] for line in text.split("\n")]
        for text in (tmp_path / "hub.txt").read_text().strip().split("\n\n")
    ]
    assert stanzas[:2] == [["hub", "shortLabel", "longLabel", "useOneFile", "email"], ["genome"]]
    settings = [
        "track",
        "type",
        "bigDataUrl",
        "shortLabel",
        "longLabel",
        "visibility",
        "color",
        "maxHeightPixels",
        "autoScale",
    ]
    assert stanzas[2:] == [settings] * len(names)
    assert "\nemail evil" not in (tmp_path / "hub.txt").read_text()


def test_a_session_gives_every_name_back(tmp_path):
    tracks = [
        Shown(tmp_path / file, name, "1,2,3") for name, file in zip(HOSTILE, file_names(HOSTILE, ".bw"), strict=True)
    ]
    write_session(tmp_path / "session.xml", tmp_path / "genome.fa", "c1:1-9", tracks)
    root = ElementTree.fromstring((tmp_path / "session.xml").read_text())
    assert tuple(found.get("name") for found in root.iter("Track")) == HOSTILE
    assert {found.tag for found in root.iter()} == {"Session", "Resources", "Resource", "Panel", "Track"}


@pytest.mark.parametrize("name", [HOSTILE[5], HOSTILE[7], HOSTILE[9]])
def test_a_figure_shows_a_name_as_it_is(tmp_path, name):
    effect = np.array([[np.nan, 1.0], [0.5, np.nan], [0.1, 0.2], [0.3, -0.4]])
    drawn = Drawn(effect, "AC", Region("c1", 0, 2), name, "log2_fold_change", signed=True)
    draw_saturation(drawn, tmp_path / "x.svg")
    root = ElementTree.fromstring((tmp_path / "x.svg").read_text())
    assert any((found.text or "").startswith(f"{name}: effect of every") for found in root.iter())
    assert not [found.tag for found in root.iter() if found.tag.endswith("}script")]
    assert not [key for found in root.iter() for key in found.keys() if key.startswith("on")]  # noqa: SIM118


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x00b", "a\x1b[2Jb", "a\x0bb", "a\u2028b", "a\x85b", "a\x7f"])
def test_names_that_would_end_a_line_or_steer_a_terminal_are_refused(tmp_path, name):
    told = refusal(lambda: TargetLabels([name], "binary", lambda bins: bins, pd.DataFrame()))
    assert told.startswith(f"targets: found the name {name!r}, expected printable characters")
    told = refusal(lambda: TargetLabels(["a"], "class", lambda bins: bins, pd.DataFrame(), [["b", name]]))
    assert "expected printable characters" in told
    if not name[1].isspace() or name[1] in "\u2028\x85":
        path = tmp_path / "x.fa"
        path.write_text(f">{name}\nACGT\n", newline="")
        assert "expected printable characters" in refusal(lambda: list(read_fasta(path)))
