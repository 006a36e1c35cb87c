"""Checks of what a configuration asks of an architecture, each refused in one sentence that names the argument."""

from collections.abc import Sequence
from typing import Any

from lociflow.command import UserError


def check_bases(model: str, channels: int) -> None:
    """Refuse sequence that is not DNA.

    Parameters
    ----------
    model
        What needs it, for the message.
    channels
        Letters of the data set's alphabet.

    Raises
    ------
    UserError
        There are not 4 of them.
    """
    if channels != 4:
        raise UserError(
            f"model.architecture: found a data set with {channels} letters, expected the 4 bases of DNA for {model}; "
            "choose another model"
        )


def check_at_least(least: int, **numbers: int) -> None:
    """Refuse numbers, named as the architecture's arguments, that are too small.

    Raises
    ------
    UserError
        One is below ``least``.
    """
    for name, number in numbers.items():
        if number < least:
            raise UserError(f"model.architecture.{name}: found {number}, expected at least {least}")


def check_odd(**kernels: int) -> None:
    """Refuse filters without a middle, which cannot keep the length with as many zeros on either side.

    Raises
    ------
    UserError
        A kernel is even.
    """
    for name, kernel in kernels.items():
        if kernel % 2 == 0:
            raise UserError(f"model.architecture.{name}: found {kernel}, expected an odd number")


def check_layers(**numbers: Sequence[Any]) -> None:
    """Refuse lists, named as the architecture's arguments, that do not have one number for each layer.

    Raises
    ------
    UserError
        Their lengths differ, or they are empty.
    """
    lengths = {name: len(listed) for name, listed in numbers.items()}
    if len(set(lengths.values())) > 1 or not all(lengths.values()):
        told = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise UserError(f"model.architecture: found {told}, expected one number of each per layer, and one layer")


def check_heads(model: str, width: int, heads: int) -> None:
    """Refuse heads that do not share the features evenly.

    Raises
    ------
    UserError
        ``width`` is no multiple of ``heads``.
    """
    check_at_least(1, heads=heads)
    if width % heads:
        raise UserError(
            f"model.architecture: found {width} features for {heads} heads of {model}, expected a multiple of the "
            "number of heads; change one of the two"
        )


def check_positions(input_length: int, positions: int) -> None:
    """Refuse a window that is shorter than the bin whose bases are answered for.

    Raises
    ------
    UserError
        There are more positions than bases.
    """
    if positions > input_length:
        raise UserError(
            f"model.input_length: found {input_length} bases, expected at least the {positions} labelled bases of a "
            "bin; give the model a longer window"
        )
