"""What opens tracks in a genome browser: a session of IGV, and a hub of UCSC."""

import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lociflow.command import atomic, status
from lociflow.formats import read_stamped

# What IGV reads without an index beside the file, by the end of its name.
READ_BY_IGV = (
    ".bed", ".narrowpeak", ".broadpeak", ".bedpe", ".bedgraph", ".bdg", ".bw", ".bigwig", ".gff", ".gff3", ".gtf",
)  # fmt: skip
# Of Okabe and Ito, which the colour-blind tell apart.
PREDICTED, CONTRIBUTION, OBSERVED = "0,114,178", "213,94,0", "86,86,86"
# What UCSC shows of a label.
SHORT, LONG = 17, 76
NOBODY = "nobody@localhost"


class Shown(NamedTuple):
    """A track of a session."""

    path: Path
    name: str
    colour: str
    most: float | None = None
    """The upper end of the axis, which begins at 0; None: the browser chooses both."""


def browse_tracks(
    predictions: Path,
    about: Path,
    split: Path,
    fasta: Path,
    session: Path,
    hub: Path,
    observed: Sequence[Mapping[str, str]],
    attributions: Path | None = None,
    about_attributions: Path | None = None,
    email: str | None = None,
) -> None:
    """Write a session of IGV and a hub of UCSC for predicted tracks.

    Paths in both are relative to themselves, so that the folder of results may be moved as a whole.

    Parameters
    ----------
    predictions, about
        Folder of bigWigs and JSON of :func:`lociflow.tracks.predict.predict_tracks`.
    split
        BED of the sides of the split.
    fasta
        The genome, with an index beside it.
    session
        ``igv_session.xml`` to write.
    hub
        ``hub.txt`` to write: one file for a genome that UCSC has under the name of the store.
    observed
        ``name`` and ``file`` of each of the data set's own peaks or signals. What IGV does not read without an index is
        left out and told.
    attributions, about_attributions
        Folder of bigWigs and JSON of :func:`lociflow.tracks.attributions.attribution_tracks`; None: there are none.
    email
        Whom UCSC names for questions about the hub.
    """
    predicted = read_stamped(about, "tracks")
    most = 1.0 if predicted["unit"] == "probability" else None
    shown = [
        Shown(predictions / track["file"], f"{track['name']}, predicted", PREDICTED, most)
        for track in predicted["tracks"]
    ]
    if attributions is not None and about_attributions is not None:
        explained = read_stamped(about_attributions, "attribution tracks")
        shown += [
            Shown(attributions / track["file"], f"{track['name']}, contribution ({explained['method']})", CONTRIBUTION)
            for track in explained["tracks"]
        ]
    own = [Shown(Path(one["file"]), f"{one['name']}, observed", OBSERVED) for one in observed]
    readable = [track for track in own if _is_read(track.path)]
    if left_out := [track.path.name for track in own if not _is_read(track.path)]:
        status(f"not in the session, which shows files that need no index: {', '.join(left_out)}")
    write_session(session, fasta, predicted["locus"], [*shown, *readable, Shown(split, "split", OBSERVED)])
    title = f"{predicted['model']} on {predicted['dataset']}"
    write_hub(hub, title, predicted["genome"], shown, email or NOBODY)
    status(f"{session}: {len(shown)} predicted and explained tracks, {len(readable)} of the data set")


def write_session(session: Path, fasta: Path, locus: str, tracks: Sequence[Shown]) -> None:
    """Write a session of IGV.

    Parameters
    ----------
    session
        To write.
    fasta
        The genome.
    locus
        Where it opens, ``contig:first-last`` counted from 1.
    tracks
        In order, from above.
    """
    root = ElementTree.Element(
        "Session",
        genome=_beside(session, fasta),
        locus=locus,
        hasGeneTrack="false",
        hasSequenceTrack="true",
        version="8",
    )
    resources = ElementTree.SubElement(root, "Resources")
    panel = ElementTree.SubElement(root, "Panel", name="DataPanel")
    for track in tracks:
        path = _beside(session, track.path)
        ElementTree.SubElement(resources, "Resource", path=path, name=track.name)
        element = ElementTree.SubElement(panel, "Track", id=path, name=track.name, color=track.colour)
        if track.most is None:
            element.set("autoScale", "true")
        else:
            element.set("autoScale", "false")
            ElementTree.SubElement(
                element, "DataRange", type="LINEAR", minimum="0.0", baseline="0.0", maximum=str(track.most)
            )
    ElementTree.indent(root)
    with atomic(session) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)


def write_hub(hub: Path, title: str, genome: str, tracks: Sequence[Shown], email: str) -> None:
    """Write a hub of UCSC in one file: hub, genome and tracks as stanzas, the settings as its definition has them.

    Parameters
    ----------
    hub
        To write.
    title
        Of the hub.
    genome
        Name of the assembly at UCSC.
    tracks
        BigWigs.
    email
        UCSC takes no hub without.
    """
    stanzas = [
        {
            "hub": _key(title),
            "shortLabel": _label(title, SHORT),
            "longLabel": _label(f"Predictions of {title}", LONG),
            "useOneFile": "on",
            "email": email,
        },
        {"genome": genome},
    ]
    for number, track in enumerate(tracks, start=1):
        scale = {"autoScale": "on"} if track.most is None else {"autoScale": "off", "viewLimits": f"0:{track.most:g}"}
        stanzas.append(
            {
                "track": f"t{number}_{_key(track.name)}",
                "type": "bigWig",
                "bigDataUrl": _beside(hub, track.path),
                "shortLabel": _label(track.name, SHORT),
                "longLabel": _label(track.name, LONG),
                "visibility": "full",
                "color": track.colour,
                "maxHeightPixels": "100:40:8",
                **scale,
            }
        )
    text = "\n\n".join("\n".join(f"{key} {value}" for key, value in stanza.items()) for stanza in stanzas)
    with atomic(hub) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _is_read(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(READ_BY_IGV)


def _beside(file: Path, path: Path) -> str:
    return Path(os.path.relpath(path, file.parent)).as_posix()


def _key(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", name)


def _label(text: str, longest: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 3]}..."
