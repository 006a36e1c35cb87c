"""Names of what explanations are of, without the weight of torch: plans and models mean the same by them."""

from collections.abc import Mapping, Sequence

from lociflow.command import UserError
from lociflow.models.outputs import Outputs


def scalar_names(outputs: Outputs) -> tuple[str, ...]:
    """Return the names of the scalars of a kind of labels, without contrasts.

    What each of them is, :mod:`lociflow.interpretation.scalars` says.
    """
    if outputs.kind == "profile":
        return tuple(f"{target}:{part}" for target in outputs.targets for part in ("counts", "profile"))
    if outputs.kind == "position_class":
        return tuple(column for group in outputs.groups for column in outputs.columns[group][1:])
    return outputs.columns


def check_contrasts(contrasts: Mapping[str, Sequence[str]], names: Sequence[str]) -> None:
    """Check differences of two outputs.

    Parameters
    ----------
    contrasts
        Name of each to the two outputs of which it is the difference.
    names
        Of the outputs.

    Raises
    ------
    UserError
        A contrast has the name of an output, or is of one that does not exist.
    """
    for name, columns in contrasts.items():
        if name in names:
            raise UserError(f"contrasts: {name} is a column already, expected another name")
        if unknown := [column for column in columns if column not in names]:
            raise UserError(f"contrasts.{name}: found {unknown[0]}, expected one of {', '.join(names)}")
