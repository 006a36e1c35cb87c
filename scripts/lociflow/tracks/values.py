"""What a track shows of a model's predictions, for each kind of labels.

==================  ===================================  =================================================
labels              tracks                               value
==================  ===================================  =================================================
``binary``          ``TARGET``                           probability, one a tile
``class``           ``TARGET:CLASS``                     probability, one a tile
``real``            ``TARGET``                           the predicted value, one a tile
``position_class``  ``TARGET:CLASS`` but the background  probability, one a base
``profile``         ``TARGET``                           expected signal, one a base: the profile's probability
                                                         times the expected sum over the bin
==================  ===================================  =================================================
"""

import numpy as np

from lociflow.evaluation.answers import Answers
from lociflow.models.outputs import Outputs

UNITS = {
    "binary": "probability",
    "class": "probability",
    "real": "predicted value",
    "position_class": "probability",
    "profile": "expected signal per base",
}


def track_names(outputs: Outputs) -> list[str]:
    """Return the name of each track of a model, in order."""
    return [outputs.columns[column] for column in _shown(outputs)]


def track_values(outputs: Outputs, answers: Answers) -> np.ndarray:
    """Return the values of each track.

    Parameters
    ----------
    outputs
        What the model was asked for.
    answers
        Its predictions for some bins, along the genome's plus strand, on the CPU.

    Returns
    -------
    numpy.ndarray
        ``float32``, shape ``(bins, tracks)``, or ``(bins, positions, tracks)`` where there is a number for each base.
    """
    found = answers[0].numpy()
    if outputs.kind == "profile":
        # Log counts are the logarithm of 1 + the sum; no signal is less than nothing.
        sums = np.maximum(np.expm1(answers[1].numpy()), 0)
        return np.asarray(found * sums[:, None, :], np.float32)
    return np.asarray(found[..., _shown(outputs)], np.float32)


def _shown(outputs: Outputs) -> list[int]:
    if outputs.kind == "position_class":
        return [column for group in outputs.groups for column in range(group.start + 1, group.stop)]
    return list(range(len(outputs.columns)))
