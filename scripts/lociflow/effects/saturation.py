"""Every substitution of a region: in-silico saturation mutagenesis, scored as variants are.

Each substitution stands in the middle of a window of its own, like a variant, so that the numbers are those that a VCF
of the same variants would get, and a region may be longer than a window. Mutating one fixed window instead, as
attribution by mutagenesis does, would have the model look at the region's ends from the margin of its window.
"""

from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status
from lociflow.effects.alleles import Allele
from lociflow.effects.predictions import load_predictors
from lociflow.effects.region import Region, heat_map_files, parse_region
from lociflow.effects.saturation_figure import BASES, Drawn, draw_saturation
from lociflow.effects.settings import EffectConfig, check_shifts
from lociflow.effects.statistics import STATISTICS, chunk_size, effect_columns, effect_name, score_alleles
from lociflow.effects.windows import known_sequence
from lociflow.genome.contig_names import read_aliases
from lociflow.sequence.alphabet import SOFT_MASK, decode
from lociflow.sequence.store import SequenceStore, contig_index, open_store


def saturate_region(
    store: Path,
    checkpoints: Sequence[Path],
    region: str,
    config: Mapping[str, Any],
    table: Path,
    figures: Path,
    device: str = "cpu",
) -> None:
    """Score every substitution of a region, and draw a heat map for each target.

    Parameters
    ----------
    store
        ``store.json`` of the genome.
    checkpoints
        One for each seed of the model.
    region
        As :func:`lociflow.effects.region.parse_region` reads it; aliases of the contig hold.
    config
        As :class:`lociflow.effects.settings.EffectConfig`.
    table
        Tab-separated table to write: ``contig``, ``position`` (1-based), ``ref``, ``alt``, ``target``, the statistics
        of the labels and ``sd`` over seeds; bases other than A, C, G and T are left out, and so are
        those in windows that are mostly unknown.
    figures
        Folder of ``TARGET.svg``, to write.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    UserError
        The region is not on the genome or holds no base, or another input does not fit.
    """
    settings, found = EffectConfig.read(config), parse_region(region)
    genome = open_store(store)
    found = found._replace(contig=read_aliases(settings.contig_aliases).get(found.contig) or found.contig)
    letters = region_letters(genome, found)
    predictors = load_predictors(checkpoints, device)
    outputs, length = predictors[0].outputs, predictors[0].length
    check_shifts(settings.shifts, length)
    contig = int(contig_index(genome, [found.contig])[0])
    alleles = [
        Allele(contig, found.start + place, letter, other)
        for place, letter in enumerate(letters)
        if letter in BASES
        for other in BASES
        if other != letter
    ]
    alleles = list(compress(alleles, known_sequence(genome, alleles, length, settings.shifts)))
    if not alleles:
        raise UserError(
            f"variant_effects.saturation: {region} holds no A, C, G or T with known sequence around it; choose another "
            "region"
        )
    status(f"{region}: scoring {len(alleles):,} substitutions with {len(checkpoints)} checkpoints")
    size = chunk_size(predictors[0])
    chunks = [
        score_alleles(predictors, genome, alleles[begin : begin + size], settings.shifts)
        for begin in range(0, len(alleles), size)
    ]
    columns = effect_columns(predictors[0])
    values = {name: np.concatenate([chunk.statistics[name] for chunk in chunks]) for name in STATISTICS[outputs.kind]}
    values["sd"] = np.concatenate([chunk.spread for chunk in chunks])
    effect = np.concatenate([chunk.effect for chunk in chunks])
    with atomic(table) as temporary:
        long_table(found.contig, alleles, columns, values).to_csv(
            temporary, sep="\t", index=False, na_rep=".", float_format="%.6g"
        )
    figures.mkdir(parents=True, exist_ok=True)
    for column, (name, file) in enumerate(heat_map_files(columns).items()):
        matrix = effect_matrix(alleles, effect[:, column], found)
        drawn = Drawn(matrix, letters, found, name, effect_name(outputs.kind), outputs.kind != "position_class")
        draw_saturation(drawn, figures / file)


def region_letters(store: SequenceStore, region: Region) -> str:
    """Return the upper-case letters of a region.

    Raises
    ------
    UserError
        The genome lacks the contig, or the region reaches beyond its end.
    """
    contig = int(contig_index(store, [region.contig])[0])
    length = int(store.lengths[contig])
    if region.end > length:
        raise UserError(
            f"variant_effects.saturation: found {region.contig}:{region.start + 1}-{region.end}, expected an end up to "
            f"{length:,}, the length of {region.contig} in {store.name}"
        )
    begin = int(store.offsets[contig])
    return decode(store.codes[begin + region.start : begin + region.end] & (SOFT_MASK - 1))


def long_table(
    contig: str, alleles: Sequence[Allele], columns: Sequence[str], values: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Return a row for each substitution and target, by position."""
    repeat, number = len(columns), len(alleles)
    return pd.DataFrame(
        {
            "contig": contig,
            "position": np.repeat([allele.position + 1 for allele in alleles], repeat),
            "ref": np.repeat([allele.reference for allele in alleles], repeat),
            "alt": np.repeat([allele.alternative for allele in alleles], repeat),
            "target": np.tile(list(columns), number),
            # Adding 0 makes 0 of -0.
            **{name: value.ravel() + 0.0 for name, value in values.items()},
        }
    )


def effect_matrix(alleles: Sequence[Allele], effect: np.ndarray, region: Region) -> np.ndarray:
    """Return effects as rows A, C, G, T and a column for each base of the region; NaN where nothing is substituted."""
    found = np.full((len(BASES), region.end - region.start), np.nan)
    for allele, value in zip(alleles, effect, strict=True):
        found[BASES.index(allele.alternative), allele.position - region.start] = value
    return found
