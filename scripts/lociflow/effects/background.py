"""What is a large effect: those of variants that are scored for comparison, and percentiles among them."""

import heapq
import itertools
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lociflow.command import UserError, status
from lociflow.effects.alleles import Allele
from lociflow.effects.predictions import Predictor, load_predictors
from lociflow.effects.settings import EffectConfig, check_shifts
from lociflow.effects.statistics import chunk_size, effect_columns, score_alleles
from lociflow.effects.survey import check_variants, count, judged_records
from lociflow.effects.windows import known_sequence
from lociflow.genome.contig_names import read_aliases
from lociflow.genome.window_table import read_windows
from lociflow.sequence.alphabet import LETTERS, SOFT_MASK
from lociflow.sequence.store import SequenceStore, contig_index, open_store
from lociflow.stamped_arrays import read_arrays, write_arrays

KIND = "variant background"
# Set these draws apart from others with the same seed.
PURPOSE = 0xBAC6
CHOICE = 0xC401
# Draws that are made at once.
DRAWS = 1 << 12


class Background(NamedTuple):
    """Effects to compare with."""

    columns: tuple[str, ...]
    effects: np.ndarray
    """Absolute effects, ``float64``, shape ``(alleles, columns)``, each column sorted."""


def score_background(
    store: Path,
    windows: Path,
    checkpoints: Sequence[Path],
    config: Mapping[str, Any],
    background: Path,
    variants: Path | None = None,
    device: str = "cpu",
) -> None:
    """Score the variants of the background with a model.

    Parameters
    ----------
    store, windows
        ``store.json`` and ``windows.parquet`` of the data set.
    checkpoints
        One for each seed.
    config
        As :class:`lociflow.effects.settings.EffectConfig`.
    background
        ``.npz`` to write.
    variants
        VCF or BCF of the background; None: substitutions are drawn.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        An input cannot be read, or no variant of the background can be scored.
    """
    settings = EffectConfig.read(config)
    genome, predictors = open_store(store), load_predictors(checkpoints, device)
    length = predictors[0].length
    check_shifts(settings.shifts, length)
    if variants is None:
        regions = read_windows(windows)
        regions = regions[~regions["shuffled"].to_numpy(bool)]
        contig = contig_index(genome, regions["contig"].astype(str))
        start, end = (regions[side].to_numpy(np.int64) for side in ("start", "end"))
        drawn = draw_substitutions(genome, contig, start, end, settings, length)
        alleles: Iterator[Allele] = iter(drawn)
    else:
        alleles = iter(known_variants(variants, genome, settings, length))
    parts = []
    while chunk := list(itertools.islice(alleles, chunk_size(predictors[0]))):
        parts.append(np.abs(score_alleles(predictors, genome, chunk, settings.shifts).effect))
    effects = np.sort(np.concatenate(parts), axis=0)
    write_background(background, Background(effect_columns(predictors[0]), effects))
    status(f"background: {len(effects):,} variants scored with {_seeds(predictors)}")


def _seeds(predictors: Sequence[Predictor]) -> str:
    name = predictors[0].loaded.config["model"].get("name", "the model")
    return f"{name}, {len(predictors)} seed{'s' if len(predictors) > 1 else ''}"


def known_variants(path: Path, store: SequenceStore, settings: EffectConfig, length: int) -> list[Allele]:
    """Return the alleles of a file that can be scored, or ``settings.most`` of them, in the order of the file.

    Parameters
    ----------
    path
        VCF or BCF.
    store
        The genome.
    settings
        As the configuration says.
    length
        Bases of a window.

    Raises
    ------
    UserError
        The file does not fit the genome, or none of its alleles can be scored.
    """
    aliases = read_aliases(settings.contig_aliases)
    check_variants(path, store, aliases)
    counts: Counter[str] = Counter()

    def scored() -> Iterator[Allele]:
        for judged in judged_records(path, store, aliases, length, settings.shifts, "skip"):
            count(judged, counts)
            yield from (allele for allele in judged.alleles if allele is not None)

    chosen = choose(scored(), settings.most, settings.seed)
    told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items() if number)
    if not chosen:
        raise UserError(
            f"{path}: found no variant that can be scored ({told or 'no records'}), expected some for the background; "
            "give variants with known bases on contigs of the genome, or leave variant_effects.background.variants out"
        )
    drawn = f"; {len(chosen):,} are drawn" if len(chosen) < counts["scored"] else ""
    status(f"{path.name}: {told}{drawn}")
    return chosen


def choose(alleles: Iterable[Allele], most: int, seed: int) -> list[Allele]:
    """Choose so many alleles, each with the same chance, and return them in their order; all where there are no more.

    Whether an allele is among them depends on the seed and on the draws of its own place and of the others' places:
    those with the smallest draws are. Memory holds no more than are chosen.
    """
    chosen = heapq.nsmallest(most, zip(_draws(seed), itertools.count(), alleles, strict=False))
    return [allele for _, _, allele in sorted(chosen, key=operator.itemgetter(1))]


def _draws(seed: int) -> Iterator[int]:
    for block in itertools.count():
        draws = np.random.Philox(key=[seed, CHOICE], counter=[0, 0, 0, block])
        yield from draws.random_raw(DRAWS).tolist()


def draw_substitutions(
    store: SequenceStore, contig: np.ndarray, start: np.ndarray, end: np.ndarray, settings: EffectConfig, length: int
) -> list[Allele]:
    """Draw single-base substitutions in regions.

    A region is drawn, then a base in it, then one of the three other bases, all with equal chances; bases other than A,
    C, G and T are drawn again, and so are those in windows that are mostly unknown.

    Parameters
    ----------
    store
        The genome.
    contig, start, end
        The regions, 0-based and half-open; what lies beyond a contig is drawn again too.
    settings
        The number of substitutions (``snvs``), the seed of the draws, and the shifts of the windows.
    length
        Bases of a window.

    Raises
    ------
    UserError
        The regions hold hardly any A, C, G or T.
    """
    found: list[Allele] = []
    number = settings.snvs
    for attempt in range(100):
        draws = np.random.Generator(np.random.Philox(key=[settings.seed, PURPOSE], counter=[0, 0, 0, attempt]))
        row = draws.integers(0, len(start), number)
        position = draws.integers(start[row], end[row])
        step = draws.integers(1, 4, number)
        inside = (position >= 0) & (position < store.lengths[contig[row]])
        row, position, step = row[inside], position[inside], step[inside]
        code = store.codes[store.offsets[contig[row]] + position] & (SOFT_MASK - 1)
        other = (code + step) % 4
        alleles = [
            Allele(int(contig[place]), int(base), LETTERS[was], LETTERS[becomes])
            for place, base, was, becomes in zip(row, position, code, other, strict=True)
            if was < 4
        ]
        found += itertools.compress(alleles, known_sequence(store, alleles, length, settings.shifts))
        if len(found) >= number:
            return found[:number]
    raise UserError(
        f"{store.path}: found {len(found)} of {number} places with A, C, G or T in the bins of the data set and known "
        "sequence around them, expected more; set variant_effects.background.snvs lower"
    )


def write_background(path: Path, background: Background) -> None:
    """Write a background as ``.npz``."""
    write_arrays(path, KIND, {"columns": background.columns}, {"effects": background.effects}, compressed=False)


def read_background(path: Path) -> Background:
    """Read a background.

    Raises
    ------
    UserError
        The file cannot be read or is of another format or version.
    """
    arrays, meta = read_arrays(path, KIND, ("effects",))
    return Background(tuple(meta["columns"]), arrays["effects"])


def percentiles(background: Background, effect: np.ndarray) -> np.ndarray:
    """Return which percentage of the background has a smaller effect, either way.

    Equal effects do not count: many alleles change nothing at all, and are no more extreme than each other.

    Parameters
    ----------
    background
        The effects to compare with.
    effect
        Shape ``(alleles, columns)``, with sign.

    Returns
    -------
    numpy.ndarray
        0 to 100, ``float64``, the same shape.
    """
    size = np.abs(effect)
    ranks = [
        np.searchsorted(background.effects[:, column], size[:, column], side="left") for column in range(size.shape[1])
    ]
    return np.stack(ranks, axis=1).reshape(size.shape) * 100 / len(background.effects)
