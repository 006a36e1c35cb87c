"""What a program needs to be told of an exported model: letters, inputs, outputs, labels, as JSON values."""

from collections.abc import Mapping
from typing import Any

from lociflow.evaluation.predict import averages_strands
from lociflow.export.program import OUTPUT_NAMES
from lociflow.models.checkpoint import CALIBRATION, LoadedModel
from lociflow.sequence.alphabet import Alphabet
from lociflow.sequence.one_hot import one_hot_table

MEANINGS: Mapping[str, str] = {
    "binary:probabilities": "probability that the bin is positive for the target",
    "class:probabilities": "probability of each class; those of one target add up to 1",
    "position_class:probabilities": "probability of each class at each base; those of one target add up to 1",
    "real:values": "the target's value, in the units of the labels",
    "real:raw_values": "what the network says, before the function that the loss takes for the value",
    "profile:profiles": "the signal's share at each base of the bin; the shares of one target add up to 1",
    "profile:log_counts": "natural logarithm of 1 + the sum of the signal over the bin",
    "profile:profile_logits": "logits along the bin, of the strand as given; their softmax over bases is the profile",
    "profile:raw_log_counts": "log_counts of the strand as given",
    "binary:logits": "log odds of the target, of the strand as given and before any correction",
    "class:logits": "log probability of each class up to a constant of the target, as given and before any correction",
    "position_class:logits": "log probability of each class at each base up to a constant, as given, not corrected",
}
VIEWS: Mapping[str, str] = {
    "sequence": "one-hot sequence, channels in the order of `channels`",
    "mask": "true on bases of the contig, false on padding beyond its ends",
    "control": "values of the control experiment over the bin, tracks in the order of the data set's control",
}


def letters(alphabet: Alphabet) -> dict[str, list[float]]:
    """Return the channels of every letter in upper case; lower case reads the same."""
    table = one_hot_table(alphabet)
    found = {letter: table[code].tolist() for code, letter in enumerate(alphabet.letters)}
    for letter in alphabet.synonyms:
        found[letter] = table[int(alphabet.encode_upper[ord(letter)])].tolist()
    return found


def describe(loaded: LoadedModel, shapes: Mapping[str, tuple[list[int], str]]) -> dict[str, Any]:
    """Return what a model takes and gives.

    Parameters
    ----------
    loaded
        The model.
    shapes
        Of each view and each output by its name: sizes behind the batch, and the type of its numbers.
    """
    outputs, model, alphabet = loaded.outputs, loaded.config["model"], loaded.alphabet
    calibration = loaded.provenance.get(CALIBRATION)
    averaged = averages_strands(loaded)
    return {
        "alphabet": alphabet.name,
        "channels": alphabet.channels,
        "letters": letters(alphabet),
        "input_length": model["input_length"],
        "padding": {
            "letter": alphabet.letters[alphabet.pad],
            "rule": "a window begins input_length // 2 bases before the middle of its bin, (start + end) // 2; what "
            "lies beyond the ends of its sequence is padded",
        },
        "views": list(model["views"]),
        "inputs": [
            {"name": name, "shape": ["batch", *shapes[name][0]], "type": shapes[name][1], "is": VIEWS.get(name, "")}
            for name in model["views"]
        ],
        "outputs": [
            {
                "name": name,
                "shape": ["batch", *shapes[name][0]],
                "type": shapes[name][1],
                "is": MEANINGS[f"{outputs.kind}:{name}"],
            }
            for name in OUTPUT_NAMES[outputs.kind]
        ],
        "labels": outputs.kind,
        "targets": list(outputs.targets),
        "classes": dict(zip(outputs.targets, map(list, outputs.classes), strict=True)) if outputs.classes else None,
        "columns": list(outputs.columns),
        "positions": outputs.positions or None,
        "averages_strands": averaged,
        "calibration": dict(zip(("slope", "intercept"), calibration, strict=True)) if calibration else None,
    }
