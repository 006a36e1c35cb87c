"""On which side of a split places of the genome lie: predictions on what a model was trained on are no evidence."""

from pathlib import Path

import numpy as np

from lociflow.command import atomic, status
from lociflow.data.bins import NO_SPLIT, SPLITS, Bins
from lociflow.genome.window_table import window_batches
from lociflow.sequence.store import SequenceStore

NONE = "none"
# The three sides on the page of a genome browser, in colours that the colour-blind tell apart (Okabe and Ito).
COLOURS = {"train": "213,94,0", "validation": "230,159,0", "test": "0,114,178"}


class Sides:
    """The side of the bins that a window shares sequence with.

    Parameters
    ----------
    store
        The genome.
    bins
        Of a data set, with one of its splits; those that are shuffles lie nowhere.
    length
        Bases that the model sees.
    """

    def __init__(self, store: SequenceStore, bins: Bins, length: int) -> None:
        self.length = length
        # All contigs lie on one axis, so far apart that windows of two of them never meet.
        margin = 2 * length
        self._origins = np.cumsum(np.append(0, store.lengths[:-1] + 2 * margin)) + margin
        placed = bins.split != NO_SPLIT
        if bins.place.shuffled is not None:
            placed &= ~bins.place.shuffled
        axis = self._axis(bins.place.contig[placed], bins.place.position[placed])
        sides = bins.split[placed]
        self._places = [np.sort(axis[sides == number]) for number in range(len(SPLITS))]

    def of(self, contig: np.ndarray, position: np.ndarray) -> np.ndarray:
        """Return the side of windows around some positions.

        Parameters
        ----------
        contig, position
            Index of each window's contig and its centre, as in :class:`lociflow.genome.placement.Placement`.

        Returns
        -------
        numpy.ndarray
            ``uint8``, index into :data:`SPLITS`: the first of train, validation and test of which a bin's window shares
            a base with this one; :data:`NO_SPLIT` where none does.
        """
        axis = self._axis(contig, position)
        found = np.full(len(axis), NO_SPLIT, np.uint8)
        for side in reversed(range(len(SPLITS))):
            places = self._places[side]
            first = np.searchsorted(places, axis - self.length, side="right")
            near = np.append(places, np.iinfo(np.int64).max)[first] < axis + self.length
            found[near] = side
        return found

    def _axis(self, contig: np.ndarray, position: np.ndarray) -> np.ndarray:
        return np.asarray(self._origins[contig] + position)


def side_names(sides: np.ndarray) -> np.ndarray:
    """Return ``train``, ``validation``, ``test`` or ``none`` for each side, as objects."""
    names = np.full(NO_SPLIT + 1, NONE, dtype=object)
    names[: len(SPLITS)] = SPLITS
    return np.asarray(names[sides])


def write_split_track(windows: Path, split: str, bed: Path) -> None:
    """Write which bins of a data set are for training, for validation and for testing, as BED.

    Parameters
    ----------
    windows
        ``windows.parquet`` of the data set, which is in the genome's order.
    split
        Of the data set.
    bed
        To write: contig, start, end, side, score 0, strand, start, end, colour. Bins outside of the split, and those
        that are shuffles of what lies there, are left out.

    Raises
    ------
    UserError
        The file is bad, or there is no such split.
    """
    written, left_out = dict.fromkeys(SPLITS, 0), 0
    with atomic(bed) as temporary, temporary.open("w", encoding="utf-8") as handle:
        handle.write('track name="split" description="bins of the data set by side of the split" itemRgb="On"\n')
        for table in window_batches(windows, split):
            used = (table["split"].notna() & ~table["shuffled"]).to_numpy()
            left_out += int((~used).sum())
            shown = table.loc[used, ["contig", "start", "end", "strand", "split"]]
            for contig, start, end, strand, side in shown.itertuples(index=False):
                written[side] += 1
                handle.write(f"{contig}\t{start}\t{end}\t{side}\t0\t{strand}\t{start}\t{end}\t{COLOURS[side]}\n")
    told = ", ".join(f"{number:,} {side}" for side, number in written.items())
    status(f"{told} bins of the split {split}" + (f"; {left_out:,} left out" if left_out else ""))
