"""Whether an exported file computes what the trained model does."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Largest difference of a number, in units of itself where it is larger than 1.
TOLERANCE = 1e-5


class Different(Exception):
    """What a file computes is not what the model does, in words."""


def with_unknown(sequence: Tensor) -> Tensor:
    """Add windows with unknown and partly known letters to some windows.

    Parameters
    ----------
    sequence
        One-hot ``float32``, ``(batch, channels, length)``.

    Returns
    -------
    torch.Tensor
        ``(4 * batch, channels, length)``: the windows; their first third unknown; every second letter half one residue
        and half another; and nothing known at all.
    """
    begun, mixed = sequence.clone(), sequence.clone()
    begun[..., : sequence.shape[-1] // 3] = 0
    mixed[..., ::2] = 0
    mixed[:, :2, ::2] = 0.5
    return torch.cat([sequence, begun, mixed, torch.zeros_like(sequence)])


def largest_difference(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return the largest difference of two lists of tensors, in units of the expected number where that is above 1.

    Raises
    ------
    Different
        There are more tensors in one than in the other, shapes differ, or a number is not finite where one should be.
    """
    shapes = [[tuple(one.shape) for one in tensors] for tensors in (found, expected)]
    if shapes[0] != shapes[1]:
        raise Different(f"it gives shapes {shapes[0]}, and the model {shapes[1]}")
    largest = 0.0
    for one, other in zip(found, expected, strict=True):
        difference = (one.double() - other.double()).abs() / other.double().abs().clamp(min=1)
        if not bool(torch.isfinite(difference).all()):
            raise Different("it gives numbers that are not finite")
        largest = max(largest, float(difference.max())) if difference.numel() else largest
    return largest


def check(
    call: Callable[..., Sequence[Tensor]], inputs: tuple[Tensor, ...], expected: Sequence[Tensor], tolerance: float
) -> float:
    """Hold what a file computes against the model, on all windows together and on one alone.

    Parameters
    ----------
    call
        Computes with the file.
    inputs, expected
        Views and what the model makes of them.
    tolerance
        As :data:`TOLERANCE`.

    Returns
    -------
    float
        The largest difference, see :func:`largest_difference`.

    Raises
    ------
    Different
        It is above the tolerance, or the file does not compute at all as the model does.
    """
    with torch.no_grad():
        together = largest_difference(call(*inputs), expected)
        alone = largest_difference(call(*(view[:1] for view in inputs)), [one[:1] for one in expected])
    found = max(together, alone)
    if found > tolerance:
        raise Different(f"its numbers differ from the model's by up to {found:.1e}, allowed are {tolerance:.0e}")
    return found
