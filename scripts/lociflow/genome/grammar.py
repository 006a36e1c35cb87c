"""The grammar of a simulated genome: which motifs are planted, how they stand, and which of them are bound.

What is planted is an *element*: one motif, or two motifs with a gap between them. An element lies on either strand with
equal probability, and each of its gaps is equally likely; each of these ways is an *arrangement*. The bases of a motif
are drawn from its position frequency matrix, each position by itself.

==========  ========================================================  ==============================
element     motifs                                                    bound
==========  ========================================================  ==============================
single      a factor's motif                                          yes
pair        the partner's motif, a gap within the rule, the motif of  both
            the paired factor on the strand that the rule asks for
inverted    as a pair, the paired factor's motif on the other strand  the partner alone
distant     as a pair, the gap outside the rule                       the partner alone
lone        the paired factor's motif                                 no
weakened    a factor's motif, mixed with equal frequencies            no
shuffled    a factor's motif, its positions in another order          no
foreign     the motif of a protein that is in no target               no
==========  ========================================================  ==============================

Elements stand further apart than the largest gap of the rule, so that two of them never make a pair.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from lociflow.command import UserError

KINDS = ("site", "pair", "decoy")


class Part(NamedTuple):
    """One motif of an element."""

    factor: str
    matrix: str
    """Name in :attr:`Grammar.matrices`: a JASPAR id, with ``weakened`` or ``shuffled`` after it where it was."""
    kind: str
    """One of :data:`KINDS`."""
    bound: bool
    reverse: bool = False
    """Whether the motif lies on the element's other strand."""


class Element(NamedTuple):
    """What is planted as a whole, read along its own strand."""

    parts: tuple[Part, ...]
    gaps: tuple[int, ...]
    """Equally likely numbers of bases between the first and the second part; (0,) where there is one part."""
    copies: int


class Place(NamedTuple):
    """Where a part of an arrangement lies on the forward strand, counted from the arrangement's first base."""

    part: Part
    offset: int
    length: int
    strand: str


class Arrangement(NamedTuple):
    """One of the equally likely ways in which an element lies on the forward strand."""

    length: int
    places: tuple[Place, ...]
    """In the order of the element's parts."""


class Grammar(NamedTuple):
    """All elements of a genome and the matrices that they are drawn from."""

    factors: tuple[str, ...]
    elements: tuple[Element, ...]
    matrices: dict[str, np.ndarray]
    """``float64``, shape (positions, 4): probability of A, C, G, T at each position of a motif."""
    margin: int
    """Bases between two elements, at the least."""


def arrangements(element: Element, matrices: Mapping[str, np.ndarray]) -> list[Arrangement]:
    """List the ways in which an element can lie: its gaps in order on the forward strand, then on the reverse one."""
    forward = []
    for gap in element.gaps:
        places, offset = [], 0
        for part in element.parts:
            length = len(matrices[part.matrix])
            places.append(Place(part, offset, length, "-" if part.reverse else "+"))
            offset += length + gap
        forward.append(Arrangement(offset - gap, tuple(places)))
    return forward + [
        Arrangement(
            there.length,
            tuple(
                Place(part, there.length - offset - length, length, "+" if strand == "-" else "-")
                for part, offset, length, strand in there.places
            ),
        )
        for there in forward
    ]


def matrix_ids(config: Mapping[str, Any]) -> list[str]:
    """List the JASPAR ids that a simulation's configuration names."""
    foreign = config.get("decoys", {}).get("foreign", {})
    return [entry["matrix"] for entry in (*config["factors"].values(), *foreign.values())]


def fetch_counts(release: str, ids: Iterable[str]) -> dict[str, np.ndarray]:
    """Read position frequency matrices from the JASPAR release that pyjaspar carries; nothing is downloaded.

    Returns
    -------
    dict of str to numpy.ndarray
        ``float64`` counts, shape (positions, 4), by id.

    Raises
    ------
    UserError
        There is no such release, or it has no matrix of an id.
    """
    # Scoring a grammar whose matrices are given must run without the database.
    from pyjaspar import jaspar_releases, jaspardb

    if release not in jaspar_releases:
        raise UserError(f"simulation.release: found {release}, expected one of {', '.join(sorted(jaspar_releases))}")
    database = jaspardb(release=release)
    found: dict[str, np.ndarray] = {}
    for name in ids:
        motif = database.fetch_motif_by_id(name)
        if motif is None:
            raise UserError(f"simulation: matrix {name} is not in {release}; look for its version at jaspar.elixir.no")
        found[name] = np.array([motif.counts[base] for base in "ACGT"], dtype=np.float64).T
    return found


def frequencies(counts: np.ndarray) -> np.ndarray:
    """Turn counts, shape (positions, 4), into probabilities, one count spread over the four bases being added."""
    return (counts + 0.25) / (counts.sum(1, keepdims=True) + 1)


def weakened(matrix: np.ndarray, weight: float) -> np.ndarray:
    """Mix a matrix with equal frequencies; ``weight`` is the share of the matrix."""
    return weight * matrix + (1 - weight) / 4


def read_grammar(
    config: Mapping[str, Any], counts: Mapping[str, np.ndarray], generator: np.random.Generator
) -> Grammar:
    """Spell out the grammar that a simulation's configuration describes.

    Parameters
    ----------
    config
        ``factors``, ``pair`` and ``decoys`` as ``config/dataset/simulated.yaml`` explains them; the last two may be
        left out.
    counts
        Position frequency matrices by id, as :func:`fetch_counts` gives them.
    generator
        Puts the positions of shuffled matrices in order.

    Raises
    ------
    UserError
        The pair names an unknown factor, or a number is out of range.
    """
    # In the order of their names: a configuration travels as JSON, whose keys have no order.
    factors = dict(sorted(config["factors"].items()))
    pair, decoys = config.get("pair"), config.get("decoys", {})
    if pair is None and (needless := [name for name in ("lone", "inverted", "distant") if name in decoys]):
        raise UserError(
            f"simulation.decoys: found {needless[0]}, a decoy of a pair, without simulation.pair; remove it"
        )
    matrices = {name: frequencies(table) for name, table in counts.items()}
    elements: list[Element] = []
    margin = 0
    for name, entry in factors.items():
        if pair is None or name != pair["factor"]:
            elements.append(Element((Part(name, entry["matrix"], "site", True),), (0,), entry["sites"]))
    if pair is not None:
        paired, margin = _paired(factors, pair, decoys)
        elements += paired
    for name, entry in factors.items():
        if pair is not None and name == pair["factor"]:
            continue
        if "weakened" in decoys:
            label = f"{entry['matrix']} weakened"
            matrices[label] = weakened(matrices[entry["matrix"]], decoys["weakened"]["weight"])
            elements.append(Element((Part(name, label, "decoy", False),), (0,), decoys["weakened"]["sites"]))
        if "shuffled" in decoys:
            label = f"{entry['matrix']} shuffled"
            matrices[label] = generator.permutation(matrices[entry["matrix"]], axis=0)
            elements.append(Element((Part(name, label, "decoy", False),), (0,), decoys["shuffled"]["sites"]))
    for name, entry in sorted(decoys.get("foreign", {}).items()):
        if name in factors:
            raise UserError(f"simulation.decoys.foreign: {name} is also a factor; a foreign motif is in no target")
        elements.append(Element((Part(name, entry["matrix"], "decoy", False),), (0,), entry["sites"]))
    for element in elements:
        if element.copies < 0:
            raise UserError(
                f"simulation: found {element.copies} sites of {element.parts[-1].factor}, expected 0 or more"
            )
    return Grammar(tuple(factors), tuple(element for element in elements if element.copies), matrices, margin)


def _paired(
    factors: Mapping[str, Any], pair: Mapping[str, Any], decoys: Mapping[str, Any]
) -> tuple[list[Element], int]:
    name, partner = pair["factor"], pair["partner"]
    if name not in factors or partner not in factors or name == partner:
        raise UserError(f"simulation.pair: found {name} and {partner}, expected two of {', '.join(factors)}")
    low, high = pair["gap"]
    if not 0 <= low <= high:
        raise UserError(f"simulation.pair.gap: found {low} to {high}, expected 0 <= first <= last")
    if pair["orientation"] not in ("same", "opposite"):
        raise UserError(f"simulation.pair.orientation: found {pair['orientation']}, expected same or opposite")
    opposite = pair["orientation"] == "opposite"
    matrix, gaps = factors[name]["matrix"], tuple(range(low, high + 1))
    first = Part(partner, factors[partner]["matrix"], "site", True)
    second = Part(name, matrix, "decoy", False, opposite)
    elements = [
        Element((first._replace(kind="pair"), second._replace(kind="pair", bound=True)), gaps, factors[name]["sites"]),
        Element((second._replace(reverse=False),), (0,), decoys.get("lone", 0)),
        Element((first, second._replace(reverse=not opposite)), gaps, decoys.get("inverted", 0)),
    ]
    if "distant" in decoys:
        near, far = decoys["distant"]["gap"]
        if not (high < near <= far or 0 <= near <= far < low):
            raise UserError(
                f"simulation.decoys.distant.gap: found {near} to {far}, expected gaps outside the pair's {low}-{high}"
            )
        elements.append(Element((first, second), tuple(range(near, far + 1)), decoys["distant"]["sites"]))
    return elements, high + 1
