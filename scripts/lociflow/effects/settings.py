"""What the steps that score variants are told."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from lociflow.command import UserError
from lociflow.effects.survey import FLAG


class EffectConfig(NamedTuple):
    """How variants are scored."""

    shifts: tuple[int, ...] = (0,)
    """Bases by which windows are moved to the right."""
    snvs: int = 1000
    """Substitutions of a drawn background."""
    most: int = 100_000
    """Alleles of a background that is a file, which bounds its memory; of more so many are drawn."""
    seed: int = 1
    """Of these draws."""
    reference_mismatch: str = FLAG
    """What becomes of a record whose REF is not what the genome has: ``flag`` or ``skip``."""
    contig_aliases: Mapping[str, str | None] | str = {}
    """As in a data set."""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """Take up a mapping of these names.

        Raises
        ------
        UserError
            A name is unknown.
        """
        if unknown := [name for name in config if name not in cls._fields]:
            raise UserError(f"--config: found {unknown[0]}, expected one of {', '.join(cls._fields)}")
        found = cls(**config)
        return found._replace(shifts=tuple(found.shifts))


def check_shifts(shifts: Sequence[int], length: int) -> None:
    """Refuse shifts that move the variant out of its window, and none at all.

    Raises
    ------
    UserError
        See above.
    """
    # The variant lies at length // 2 less the shift.
    if not shifts:
        raise UserError("variant_effects.shifts: found none, expected at least one; write [0] or leave shifts out")
    if outside := [shift for shift in shifts if not 0 <= length // 2 - shift < length]:
        raise UserError(
            f"variant_effects.shifts: found {outside[0]}, expected shifts that leave the variant in the model's window "
            f"of {length} bases: from {length // 2 - length + 1} to {length // 2}"
        )
