"""Names of contigs: what a file calls them and what the genome calls them (chr1, 1, chrI, …)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.regions import categorical

_MITOCHONDRION = {"m", "mt", "mito", "mitochondrion"}
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


class Resolved(NamedTuple):
    """Regions on the genome's contigs, and how many were left out because an alias said so."""

    regions: pd.DataFrame
    excluded: int


def read_aliases(aliases: Mapping[str, str | None] | str | Path | None) -> dict[str, str | None]:
    """Return the alias table of a configuration.

    Parameters
    ----------
    aliases
        A mapping from the name in a file to the genome's name, or to None for a contig that is left out; or a file of
        two columns separated by a tab, where an empty or ``null`` second column leaves out; or None.

    Raises
    ------
    UserError
        The file is missing or no text in UTF-8, a line has not two columns, or a name is given two meanings.
    """
    if aliases is None:
        return {}
    if isinstance(aliases, Mapping):
        return _as_text(aliases)
    path = Path(aliases)
    try:
        # Any line end reads as LF; splitlines would also split at form feeds and the like, which editors do not count.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: cannot be read ({error}); expected contig_aliases as text in UTF-8") from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); expected contig_aliases, two columns separated by a tab"
        ) from None
    table: dict[str, str | None] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 2 or not fields[0]:
            raise UserError(
                f"{path}, line {number}: found {line[:60]!r}, expected two columns separated by a tab: the name in the "
                "peak files and the name in the genome"
            )
        name, alias = fields[0], None if fields[1] in ("", "null") else fields[1]
        if name in table and table[name] != alias:
            raise UserError(f"{path}, line {number}: found a second alias for {name}, expected one; remove either")
        table[name] = alias
    return table


def _as_text(aliases: Mapping[Any, Any]) -> dict[str, str | None]:
    table: dict[str, str | None] = {}
    for key, value in aliases.items():
        name = str(key)
        # YAML reads 1 as a number and no as False; a number has one spelling, false has several.
        for said in (key, value):
            if said is not None and (isinstance(said, bool) or not isinstance(said, str | int)):
                raise UserError(f"contig_aliases: found {said!r}, expected names of contigs; put it in quotes")
        if key is None or name in table:
            found = "a name that is null" if key is None else f"a second alias for {name}"
            raise UserError(f"contig_aliases: found {found}, expected one name of a file on the left of each")
        table[name] = None if value is None else str(value)
    return table


def resolve_contigs(
    regions: pd.DataFrame, names: Sequence[str], aliases: Mapping[str, str | None], path: Path
) -> Resolved:
    """Give regions the genome's own contig names.

    An alias comes first, then the name itself: what the configuration says holds even where the genome has the name.

    Parameters
    ----------
    regions
        ``contig`` categorical, as :func:`lociflow.genome.regions.read_regions` returns.
    names
        The genome's contigs, in order.
    aliases
        As :func:`read_aliases` returns.
    path
        Where the regions come from, for the message.

    Returns
    -------
    Resolved
        The regions in their order with ``contig`` as a categorical of ``names``, and the number left out.

    Raises
    ------
    UserError
        A contig is neither in the genome nor in the aliases, or an alias is not in the genome.
    """
    place = {name: index for index, name in enumerate(names)}
    contig = regions["contig"].cat.remove_unused_categories()
    found = [str(name) for name in contig.cat.categories]
    unknown = [name for name in found if name not in aliases and name not in place]
    if unknown:
        raise UserError(_unknown_contigs(path, unknown, names))
    for name in found:
        alias = aliases.get(name)
        if alias is not None and alias not in place:
            raise UserError(
                f"contig_aliases: {name} is called {alias}, which the genome does not have; expected one of "
                f"{some(names)}, or null to leave the contig out"
            )
    meant = [aliases.get(name, name) for name in found]
    index = np.array([-1 if name is None else place[name] for name in meant], dtype=np.int32)
    codes = index[contig.cat.codes.to_numpy()] if len(regions) else np.empty(0, np.int32)
    resolved = regions.assign(contig=categorical(codes, names))
    return Resolved(resolved[codes >= 0].reset_index(drop=True), int((codes < 0).sum()))


def _unknown_contigs(path: Path, unknown: Sequence[str], names: Sequence[str]) -> str:
    return (
        f"{path}: the genome has no contig {some(sorted(unknown, key=_natural))}; {suggested_aliases(unknown, names)}"
    )


def suggested_aliases(unknown: Iterable[str], names: Sequence[str]) -> str:
    """Return the remedy for names that the genome does not have: the aliases that they might be given."""
    guesses = {name: guess_contig(name, names) for name in sorted(unknown, key=_natural)}
    aliases = ", ".join(f"{name}: {guess or 'null'}" for name, guess in guesses.items())
    return (
        f"expected names such as {some(names)}; if they are the same assembly add to the data set contig_aliases: "
        f"{{{aliases}}} (null leaves a contig out)"
    )


def guess_contig(name: str, names: Iterable[str]) -> str | None:
    """Return the one contig that ``name`` probably means, or None: chr1 for 1, chrI for chr1, chrM for MT.

    A guess is only ever shown to the user, never acted on: chrX is a sex chromosome in man and the tenth in yeast.
    """
    names = list(names)
    for form in (_plain, _arabic):
        candidates = [known for known in names if form(known) == form(name)]
        if len(candidates) == 1:
            return candidates[0]
    return None


def _plain(name: str) -> str:
    plain = re.sub(r"^(chromosome|chrom|chr)[_.]?(?=.)", "", name.lower())
    return "m" if plain in _MITOCHONDRION else plain


def _arabic(name: str) -> str:
    plain = _plain(name)
    numbers = {_roman(number): str(number) for number in range(1, 40)}
    return numbers.get(plain, plain)


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        while number >= value:
            text += letters
            number -= value
    return text


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def some(names: Iterable[str], most: int = 3) -> str:
    """Return the first few names for a message: ``chrI, chrII, chrIII and 13 more``."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
