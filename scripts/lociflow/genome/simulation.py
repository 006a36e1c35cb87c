"""A simulated genome with planted motifs, and peaks called from it with noise: a genome whose truth is known.

The model, in the order in which it is drawn:

1. **Background.** Each contig is cut into isochores, 0.5 to 1.5 times ``background.isochores.length`` long, each with a
   GC content drawn from ``background.isochores.gc``; each isochore is a Markov chain of its own
   (:mod:`lociflow.genome.markov`).
2. **Motifs.** The elements of :mod:`lociflow.genome.grammar`, in random order, are shared out over the contigs by
   length and put at uniformly random places that keep the grammar's margin; their bases replace the background's.
3. **Peaks.** Of a factor's bound sites the fraction ``peaks.missed`` has no peak. The others have one: its summit is
   the middle of the site, moved by up to ``peaks.jitter`` bases, its width is drawn from ``peaks.width``, both
   uniformly. Peaks at random places are added until they are the fraction ``peaks.spurious`` of all. Scores are uniform
   too, spurious peaks scoring lower on the whole.

Counts are exact and not expectations. Every draw comes from a Philox generator whose key is the seed and the purpose of
the draw (Salmon et al. 2011, doi:10.1145/2063384.2063405), so that the genome is a pure function of the configuration
and a change in the peaks' noise leaves the sequence as it was. Contigs and factors are taken in the order of their
names.

What it is not: a motif that the background makes by chance is never bound; sites do not prefer a GC content, do not
cluster (beyond the pair) and have no strength; positions within a motif are independent; there is no chromatin, no
repeat, no duplication, no evolution; peaks have no dependence on coverage. Scores on it compare methods with each other
and with the ceiling of :mod:`lociflow.evaluation.ceiling`; they predict nothing about real genomes.
"""

from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError, atomic, status
from lociflow.genome.grammar import Arrangement, Grammar, arrangements, fetch_counts, matrix_ids, read_grammar
from lociflow.genome.markov import Chain, draw_sequences, markov_chain
from lociflow.sequence.alphabet import decode, reverse_complement

SITE_COLUMNS = ("contig", "start", "end", "strand", "factor", "kind", "bound", "matrix", "sequence", "element")

# Peaks' scores in BED, both ends included. They overlap: no threshold tells the spurious peaks from the others.
TRUE_SCORES = (400, 1000)
SPURIOUS_SCORES = (100, 700)

_KEYS = {
    "": ("seed", "release", "contigs", "background", "factors", "pair?", "decoys?", "peaks"),
    "background": ("order", "isochores", "words?"),
    "background.isochores": ("length", "gc"),
    "pair": ("factor", "partner", "gap", "orientation"),
    "decoys": ("lone?", "inverted?", "distant?", "weakened?", "shuffled?", "foreign?"),
    "decoys.distant": ("sites", "gap"),
    "decoys.weakened": ("sites", "weight"),
    "decoys.shuffled": ("sites",),
    "peaks": ("missed", "spurious", "jitter", "width"),
}


class Purpose(IntEnum):
    """What a stream of random numbers is for; a number, once given, stays."""

    ISOCHORES = 0
    BACKGROUND = 1
    SHUFFLED_MATRICES = 2
    ARRANGEMENTS = 3
    ORDER = 4
    PLACES = 5
    MOTIFS = 6
    TRUE_PEAKS = 7
    SPURIOUS_PEAKS = 8


class Simulation(NamedTuple):
    """A simulated genome, its truth and its peaks; coordinates are 0-based and half-open."""

    genome: dict[str, np.ndarray]
    """``uint8`` codes of A, C, G, T, by contig."""
    sites: pd.DataFrame
    """A row for each planted motif, :data:`SITE_COLUMNS`: ``sequence`` is read along ``strand``; the motifs of one
    ``element`` share its number. Sorted by contig and start."""
    peaks: pd.DataFrame
    """``contig``, ``start``, ``end``, ``factor``, ``score``; sorted by contig, start, end, factor."""


def stream(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Return the random numbers of one purpose; ``index`` tells apart the contigs or factors that it serves."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, purpose << 32 | index], dtype=np.uint64)))


def check_simulation(config: Mapping[str, Any]) -> None:
    """Refuse a configuration with an unknown or missing key or a number that makes no sense.

    Raises
    ------
    UserError
        Names the key, what was found and what was expected.
    """
    for where, keys in _KEYS.items():
        found: Any = config
        for step in where.split(".") if where else ():
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None:
            _check_keys(f"simulation.{where}".rstrip("."), found, keys)
    named = {f"factors.{name}": entry for name, entry in config["factors"].items()}
    foreign = config.get("decoys", {}).get("foreign", {})
    for where, entry in {**named, **{f"decoys.foreign.{name}": entry for name, entry in foreign.items()}}.items():
        _check_keys(f"simulation.{where}", entry, ("matrix", "sites"))
    peaks, (narrowest, widest) = config["peaks"], config["peaks"]["width"]
    checks = (
        ("seed", config["seed"], 0 <= config["seed"] < 2**63, "a whole number of 0 or more"),
        ("contigs", config["contigs"], bool(config["contigs"]), "a length for each contig"),
        ("contigs", config["contigs"], all(length > 0 for length in config["contigs"].values()), "lengths above 0"),
        ("peaks.missed", peaks["missed"], 0 <= peaks["missed"] < 1, "a fraction below 1"),
        ("peaks.spurious", peaks["spurious"], 0 <= peaks["spurious"] < 1, "a fraction below 1"),
        ("peaks.jitter", peaks["jitter"], peaks["jitter"] >= 0, "a number of bases"),
        ("peaks.width", peaks["width"], 0 < narrowest <= widest, "the smallest and the largest width in bases"),
    )
    for where, value, right, expected in checks:
        if not right:
            raise UserError(f"simulation.{where}: found {value}, expected {expected}")


def _check_keys(where: str, found: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(found, Mapping):
        raise UserError(f"{where}: found {found!r}, expected a mapping with {', '.join(keys)}")
    known = [key.rstrip("?") for key in keys]
    if wrong := [key for key in found if key not in known]:
        raise UserError(f"{where}: found the key {wrong[0]}, expected some of {', '.join(known)}")
    if missing := [key for key in keys if not key.endswith("?") and key not in found]:
        raise UserError(f"{where}: the key {missing[0]} is missing; expected {', '.join(known)}")


def simulated_grammar(config: Mapping[str, Any], counts: Mapping[str, np.ndarray] | None = None) -> Grammar:
    """Return the grammar of a configuration, its matrices read from JASPAR unless their counts are given."""
    check_simulation(config)
    if counts is None:
        counts = fetch_counts(config["release"], matrix_ids(config))
    return read_grammar(config, counts, stream(config["seed"], Purpose.SHUFFLED_MATRICES))


def contig_lengths(config: Mapping[str, Any]) -> dict[str, int]:
    """Return the contigs' lengths in the order of their names: the JSON that a configuration travels in has none."""
    return dict(sorted(config["contigs"].items()))


def isochores(config: Mapping[str, Any]) -> pd.DataFrame:
    """Return the isochores in order; they tile every contig: ``contig``, ``start``, ``end``, ``gc``."""
    typical, levels = config["background"]["isochores"]["length"], config["background"]["isochores"]["gc"]
    rows = []
    for index, (contig, length) in enumerate(contig_lengths(config).items()):
        generator = stream(config["seed"], Purpose.ISOCHORES, index)
        start = 0
        while start < length:
            end = min(length, start + max(1, int(typical * (0.5 + generator.random()))))
            rows.append((contig, start, end, levels[int(generator.random() * len(levels))]))
            start = end
    return pd.DataFrame(rows, columns=["contig", "start", "end", "gc"])


def background_chains(config: Mapping[str, Any]) -> dict[float, Chain]:
    """Return the Markov chain of each GC content."""
    background = config["background"]
    return {
        gc: markov_chain(background["order"], gc, background.get("words", {})) for gc in background["isochores"]["gc"]
    }


def simulate(config: Mapping[str, Any], counts: Mapping[str, np.ndarray] | None = None) -> Simulation:
    """Draw a genome, its planted motifs and its peaks.

    Parameters
    ----------
    config
        The key ``simulation`` of a data set; ``config/dataset/simulated.yaml`` explains every entry.
    counts
        Position frequency matrices by id, shape (positions, 4); read from JASPAR where not given.

    Raises
    ------
    UserError
        The configuration is not valid, or the contigs are too short for the motifs.
    """
    grammar = simulated_grammar(config, counts)
    genome = _draw_background(config)
    sites = _plant(config, grammar, genome)
    return Simulation(genome, sites, call_peaks(config, grammar.factors, sites))


def _draw_background(config: Mapping[str, Any]) -> dict[str, np.ndarray]:
    segments, chains = isochores(config), background_chains(config)
    drawn = draw_sequences(
        [chains[gc] for gc in segments["gc"]],
        (segments["end"] - segments["start"]).to_numpy(),
        stream(config["seed"], Purpose.BACKGROUND),
    )
    return {
        contig: np.concatenate([drawn[row] for row in np.flatnonzero(segments["contig"] == contig)])
        for contig in contig_lengths(config)
    }


def _plant(config: Mapping[str, Any], grammar: Grammar, genome: dict[str, np.ndarray]) -> pd.DataFrame:
    """Write the elements into the genome, in place, and return the planted sites."""
    seed = config["seed"]
    ways = [arrangements(element, grammar.matrices) for element in grammar.elements]
    kinds = np.repeat(np.arange(len(ways)), [element.copies for element in grammar.elements])
    chosen = stream(seed, Purpose.ARRANGEMENTS).random(len(kinds))
    instances = [ways[kind][int(number * len(ways[kind]))] for kind, number in zip(kinds, chosen, strict=True)]
    longest = max((arrangement.length for arrangement in instances), default=0)
    uniforms = stream(seed, Purpose.MOTIFS).random((len(instances), longest))
    order = stream(seed, Purpose.ORDER).permutation(len(instances))
    rows: list[tuple[Any, ...]] = []
    shares = _share_out(len(instances), [len(codes) for codes in genome.values()])
    for index, (contig, begin, end) in enumerate(zip(genome, shares[:-1], shares[1:], strict=True)):
        members = order[begin:end]
        lengths = np.array([instances[member].length for member in members], dtype=np.int64)
        starts = _places(contig, len(genome[contig]), lengths, grammar.margin, stream(seed, Purpose.PLACES, index))
        for member, start in zip(members, starts, strict=True):
            rows += _write(
                genome[contig], contig, int(start), instances[member], grammar, uniforms[member], int(member)
            )
    sites = pd.DataFrame(rows, columns=list(SITE_COLUMNS))
    sites["place"] = sites["contig"].map({contig: index for index, contig in enumerate(genome)})
    sites = sites.sort_values(["place", "start"], ignore_index=True).drop(columns="place")
    # Numbered along the genome, so that the table reads in order.
    sites["element"] = pd.factorize(sites["element"])[0]
    return sites


def _share_out(count: int, lengths: list[int]) -> np.ndarray:
    return np.rint(count * np.concatenate([[0], np.cumsum(lengths)]) / sum(lengths)).astype(np.int64)


def _places(contig: str, length: int, lengths: np.ndarray, margin: int, generator: np.random.Generator) -> np.ndarray:
    """Draw starts uniformly among all ways to lay elements of these lengths, in this order, without contact."""
    taken = lengths + margin
    free = length - int(taken.sum())
    if free < 0:
        raise UserError(
            f"simulation: contig {contig} has {length:,} bases, its {len(lengths):,} planted motifs with their margins "
            f"need {int(taken.sum()):,}; make it longer or plant fewer sites"
        )
    # Elements without extent at sorted places among the free bases, then each moved by what stands before it.
    points = np.sort((generator.random(len(lengths)) * (free + 1)).astype(np.int64))
    return points + np.concatenate([[0], np.cumsum(taken)[:-1]]).astype(np.int64)[: len(lengths)]


def _write(
    codes: np.ndarray,
    contig: str,
    start: int,
    arrangement: Arrangement,
    grammar: Grammar,
    uniforms: np.ndarray,
    element: int,
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    used = 0
    for part, offset, length, strand in arrangement.places:
        cumulative = grammar.matrices[part.matrix].cumsum(1)[:, :-1]
        motif = (uniforms[used : used + length, None] >= cumulative).sum(1).astype(np.uint8)
        used += length
        first, last = start + offset, start + offset + length
        codes[first:last] = motif if strand == "+" else reverse_complement(motif)
        rows.append(
            (contig, first, last, strand, part.factor, part.kind, int(part.bound), part.matrix, decode(motif), element)
        )
    return rows


def spurious_peaks(config: Mapping[str, Any], bound: int) -> int:
    """Return the number of spurious peaks of a factor with so many bound sites."""
    peaks = config["peaks"]
    return round((bound - round(peaks["missed"] * bound)) * peaks["spurious"] / (1 - peaks["spurious"]))


def call_peaks(config: Mapping[str, Any], factors: tuple[str, ...], sites: pd.DataFrame) -> pd.DataFrame:
    """Call peaks at bound sites, with missed and spurious ones; see the module's text.

    Returns
    -------
    pandas.DataFrame
        As :attr:`Simulation.peaks`.
    """
    peaks, seed, lengths = config["peaks"], config["seed"], contig_lengths(config)
    contigs = list(lengths)
    ends = np.cumsum(list(lengths.values()))
    place_of = {contig: index for index, contig in enumerate(contigs)}
    tables = []
    for index, factor in enumerate(factors):
        bound = sites[(sites["factor"] == factor) & (sites["bound"] == 1)]
        generator = stream(seed, Purpose.TRUE_PEAKS, index)
        kept = np.sort(generator.permutation(len(bound))[round(peaks["missed"] * len(bound)) :])
        middle = (bound["start"].to_numpy() + bound["end"].to_numpy())[kept] // 2
        jitter = generator.integers(-peaks["jitter"], peaks["jitter"], size=len(kept), endpoint=True)
        place = bound["contig"].map(place_of).to_numpy(dtype=np.int64)[kept]
        tables.append(_peaks(config, factor, place, middle + jitter, TRUE_SCORES, generator))
        generator = stream(seed, Purpose.SPURIOUS_PEAKS, index)
        anywhere = generator.integers(ends[-1], size=spurious_peaks(config, len(bound)))
        place = np.searchsorted(ends, anywhere, side="right")
        summit = anywhere - np.concatenate([[0], ends])[place]
        tables.append(_peaks(config, factor, place, summit, SPURIOUS_SCORES, generator))
    called = pd.concat(tables, ignore_index=True).sort_values(["place", "start", "end", "factor"], ignore_index=True)
    called.insert(0, "contig", np.array(contigs, dtype=object)[called["place"].to_numpy()])
    return called.drop(columns="place")


def _peaks(
    config: Mapping[str, Any],
    factor: str,
    place: np.ndarray,
    summit: np.ndarray,
    scores: tuple[int, int],
    generator: np.random.Generator,
) -> pd.DataFrame:
    narrowest, widest = config["peaks"]["width"]
    width = generator.integers(narrowest, widest, size=len(place), endpoint=True)
    start = summit - width // 2
    ends = np.array(list(contig_lengths(config).values()))[place]
    return pd.DataFrame(
        {
            "place": place,
            "start": np.clip(start, 0, ends - 1),
            "end": np.clip(start + width, 1, ends),
            "factor": factor,
            "score": generator.integers(scores[0], scores[1], size=len(place), endpoint=True),
        }
    )


def read_sites(path: Path) -> pd.DataFrame:
    """Read the planted motifs that :func:`write_simulation` wrote, as :attr:`Simulation.sites`.

    Raises
    ------
    UserError
        The file is missing or lacks a column.
    """
    try:
        return pd.read_csv(path, sep="\t", usecols=list(SITE_COLUMNS), dtype={"contig": str, "factor": str})
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as planted sites ({error}); run the simulation again") from None


def write_simulation(config: Mapping[str, Any], genome: Path, peaks: Path, sites: Path) -> None:
    """Draw a simulation and write its files.

    Parameters
    ----------
    config
        As for :func:`simulate`.
    genome
        FASTA to write.
    peaks
        BED6 to write: the name is the factor, the score 100 to 1000, the strand a dot.
    sites
        TSV to write: a row for each planted motif, :data:`SITE_COLUMNS` as its header.
    """
    drawn = simulate(config)
    with atomic(genome) as temporary, temporary.open("w", encoding="ascii", newline="\n") as handle:
        for contig, codes in drawn.genome.items():
            letters = decode(codes)
            handle.write(f">{contig}\n")
            handle.writelines(f"{letters[start : start + 80]}\n" for start in range(0, len(letters), 80))
    bed = drawn.peaks.assign(strand=".")[["contig", "start", "end", "factor", "score", "strand"]]
    with atomic(peaks) as temporary:
        bed.to_csv(temporary, sep="\t", header=False, index=False, lineterminator="\n")
    with atomic(sites) as temporary:
        drawn.sites.to_csv(temporary, sep="\t", index=False, lineterminator="\n")
    status(
        f"simulated {sum(map(len, drawn.genome.values())):,} bases with {len(drawn.sites):,} planted motifs, "
        f"{int(drawn.sites['bound'].sum()):,} of them bound, and {len(drawn.peaks):,} peaks"
    )
