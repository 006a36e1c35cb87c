"""What a run has predicted along the genome, and where it lies."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

# Of a split, with what belongs to none of them.
SIDES = ("train", "validation", "test", "none")


class GenomeTracks(NamedTuple):
    """One set of regions, predicted by one model."""

    dataset: str
    split: str
    model: str
    regions: str
    folder: str
    tracks: Mapping[str, Any]
    """As :func:`lociflow.tracks.predict.predict_tracks` writes it."""
    contributions: Mapping[str, Any] | None
    """As :func:`lociflow.tracks.attributions.attribution_tracks` writes it; None where the model is not explained."""

    @property
    def by_side(self) -> dict[str, int]:
        """Tiles by the side of the split with whose bins their windows share sequence."""
        contigs = self.tracks["contigs"].values()
        return {side: number for side in SIDES if (number := sum(contig[side] for contig in contigs))}


def read_genome_tracks(found: Mapping[str, Any], read: Callable[[str, str], Mapping[str, Any]]) -> GenomeTracks:
    """Read what one entry of the manifest names.

    Parameters
    ----------
    found
        As :func:`lociflow.track_requests.reported` yields it.
    read
        Reads a JSON file of a kind, and checks that it is of this kind.
    """
    folder = found["folder"]
    return GenomeTracks(
        dataset=found["dataset"],
        split=found["split"],
        model=found["model"],
        regions=found["regions"],
        folder=folder,
        tracks=read(f"{folder}/tracks.json", "tracks"),
        contributions=read(f"{folder}/attributions.json", "attribution tracks") if found["explained"] else None,
    )
