"""Set two runs beside each other: what is the same, what differs and by how much, what is missing."""

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from lociflow.provenance.content import TIMED
from lociflow.provenance.read import CrateFile, ReadCrate

SAME = "same"
OTHER_BITS = "same scores, other bits"
DIFFERS = "differs"
MISSING = "missing"
SCORES = "scores.tsv"
# Which seeds a mean is of is no part of its row of scores.
ENSEMBLE_OF = re.compile(r"ensemble-[0-9-]+$")
# Names in messages: more of them tell no more.
MOST = 4


class Part(NamedTuple):
    """A part of a run, in both runs."""

    name: str
    verdict: str
    told: str


class Difference(NamedTuple):
    """Two scores of the same name."""

    name: str
    before: float
    after: float

    @property
    def size(self) -> float:
        """How far they are apart; infinite where one of them is missing."""
        if math.isnan(self.before) and math.isnan(self.after):
            return 0.0
        return math.inf if math.isnan(self.before - self.after) else abs(self.after - self.before)


def compare(before: ReadCrate, after: ReadCrate) -> list[Part]:
    """Compare two runs by their crates: digests of sources and of what result files say, and scores.

    Files are taken together by their folder. Where those of a model or baseline differ but its row of ``scores.tsv``
    does not, to the six digits that it has, the verdict is :data:`OTHER_BITS`. Times are left out.

    Parameters
    ----------
    before, after
        The run as it was recorded, and as it was made again.

    Returns
    -------
    list of Part
        Sources first, each that differs by itself, then every folder in the order of the alphabet.
    """
    return [*compare_sources(before, after), *compare_files(before, after)]


def compare_sources(before: ReadCrate, after: ReadCrate) -> list[Part]:
    """Compare the digests of all sources."""
    parts, same = [], 0
    for file, source in sorted(before.sources.items()):
        other = after.sources.get(file)
        if other is None:
            parts.append(Part(f"source {file}", MISSING, "the new run has not read it"))
        elif other.sha256 != source.sha256:
            parts.append(Part(f"source {file}", DIFFERS, f"sha256 {other.sha256}, expected {source.sha256}"))
        else:
            same += 1
    return [*([Part("sources", SAME, f"{same} files")] if same else []), *parts]


def compare_files(before: ReadCrate, after: ReadCrate) -> list[Part]:
    """Compare the result files of two runs, folder by folder."""
    old, new = _by_folder(before.files), _by_folder(after.files)
    rows, others = read_scores(before.folder / SCORES), read_scores(after.folder / SCORES)
    parts = []
    for folder, files in sorted(old.items()):
        found = new.get(folder, {})
        missing = sorted(set(files) - set(found))
        changed = sorted(name for name in set(files) & set(found) if files[name] != found[name])
        name = folder or f"runs/{before.run}"
        if missing:
            parts.append(Part(name, MISSING, _names(missing)))
        elif not changed:
            parts.append(Part(name, SAME, f"{len(files)} files"))
        elif (entry := ENSEMBLE_OF.sub("ensemble", folder)) in rows and entry in others:
            largest = max(_differences(rows[entry], others[entry]), key=lambda found: found.size)
            scored = f"{largest.name} {largest.before:.6g} before, {largest.after:.6g} now; "
            verdict, told = (DIFFERS, scored) if largest.size else (OTHER_BITS, "")
            parts.append(Part(name, verdict, f"{told}{_names(changed)}"))
        else:
            parts.append(Part(name, DIFFERS, _names(changed)))
    return parts


def _by_folder(files: Mapping[str, CrateFile]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, file in files.items():
        if file.content is not None:
            path = PurePosixPath(name.removeprefix("../../"))
            found["" if str(path.parent) == "." else str(path.parent)][path.name] = file.content
    return found


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{', '.join(names[:MOST])}{more}"


def read_scores(path: Path) -> dict[str, dict[str, float]]:
    """Read the scores of a run, by the folder of the model or baseline; none where the table is not there."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {_folder(row): _numbers(row) for row in csv.DictReader(lines, delimiter="\t")}


def _folder(row: Mapping[str, str]) -> str:
    place = f"{row['dataset']}/{row['split']}"
    if row["kind"] in ("baseline", "ceiling"):
        return f"{place}/baselines/{row['label']}"
    return f"{place}/{row['label']}/{'ensemble' if row['kind'] == 'ensemble' else 'seed' + row['seed']}"


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    found = {}
    for name, text in row.items():
        if name not in TIMED and name not in ("seed", "label", "model", "variant", "dataset", "split"):
            try:
                found[name] = float(text) if text else math.nan
            except ValueError:
                continue
    return found


def _differences(before: Mapping[str, float], after: Mapping[str, float]) -> list[Difference]:
    return [Difference(name, before.get(name, math.nan), after.get(name, math.nan)) for name in {**before, **after}]


def as_table(parts: Sequence[Part]) -> str:
    """Lay out the comparison for a terminal, and end with how many parts have which verdict."""
    header = Part("part", "verdict", "what")
    widths = [max(len(part[column]) for part in (header, *parts)) for column in (0, 1)]
    lines = [
        f"{part.name.ljust(widths[0])}  {part.verdict.ljust(widths[1])}  {part.told}".rstrip()
        for part in (header, *parts)
    ]
    counts = Counter(part.verdict for part in parts)
    told = [f"{verdict}: {counts[verdict]}" for verdict in (SAME, OTHER_BITS, DIFFERS, MISSING) if counts[verdict]]
    return "\n".join([*lines, "", ", ".join(told)])


def is_reproduced(parts: Sequence[Part]) -> bool:
    """Tell whether nothing is missing and nothing differs but the bits behind equal scores."""
    return all(part.verdict in (SAME, OTHER_BITS) for part in parts)
