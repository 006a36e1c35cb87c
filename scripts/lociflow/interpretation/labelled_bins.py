"""Which test bins have the label that a scalar is about, for every kind of labels."""

from collections.abc import Sequence

import numpy as np

from lociflow.command import UserError
from lociflow.genome.label_kinds import known, label_kind
from lociflow.interpretation.scalars import scalar_names
from lociflow.models.outputs import Outputs


def labelled_bins(labels: np.ndarray, test: np.ndarray, outputs: Outputs, targets: Sequence[str]) -> list[np.ndarray]:
    """Return the test bins of each scalar of a model.

    Parameters
    ----------
    labels
        Of the data set, shape ``(bins, targets)`` or ``(bins, positions, targets)``.
    test
        Test bins, ``int64``, ascending.
    outputs
        Of the model.
    targets
        Names of the data set's targets, the last axis of ``labels``.

    Returns
    -------
    list of numpy.ndarray
        Bins, ``int64``, ascending, for each of :func:`lociflow.interpretation.scalars.scalar_names`: positives of a
        binary target, those of a class, those with a position of a class, and for real values and profiles those with
        the upper half of the values or of the counts.
    """
    kind = label_kind(outputs.kind)
    found: list[np.ndarray] = []
    # Read once where there are many targets; of profiles one target at a time is held.
    table = None if kind.positional else np.asarray(labels[test])
    for number, target in enumerate(outputs.targets):
        column = targets.index(target)
        own = np.asarray(labels[test, :, column]) if table is None else table[:, column]
        if kind.name == "binary":
            found.append(test[own == 1])
        elif kind.name == "class":
            found += [test[own == index] for index in range(len(outputs.classes[number]))]
        elif kind.name == "position_class":
            # The first class is the background, which has no scalar.
            found += [test[(own == index).any(axis=1)] for index in range(1, len(outputs.classes[number]))]
        else:
            value = np.where(known(own, kind), own, 0).sum(axis=1) if kind.positional else own
            labelled = known(own, kind).any(axis=1) if kind.positional else known(own, kind)
            upper = labelled & (value >= (np.median(value[labelled]) if labelled.any() else 0))
            found += [test[upper]] * (2 if kind.name == "profile" else 1)
    assert len(found) == len(scalar_names(outputs))
    return found


def unlabelled_bins(labels: np.ndarray, test: np.ndarray, kind: str) -> np.ndarray:
    """Return the test bins that are known to have no label, ``int64``, ascending.

    Raises
    ------
    UserError
        Labels are not binary.
    """
    if kind != "binary":
        raise UserError(
            f"importance.backgrounds.kind: found negatives, which {kind} labels do not have, expected shuffled"
        )
    own = np.asarray(labels[test])
    return np.asarray(test[(own == 0).all(axis=1)])
