"""Which baselines a run scores on each of its data sets."""

from collections.abc import Mapping
from typing import Any

from lociflow.config import Configuration, label_kind_of

# What always runs: of these, those that can predict a data set's labels from its sequences.
USUAL = ("prevalence", "gc_content", "length", "kmer_logistic", "kmer_ridge", "jaspar_motif")
WORD = "usual"


def of_dataset(run: Mapping[str, Any], configuration: Configuration, dataset: str) -> list[str]:
    """Return the baselines of a data set: those that the run names, with the usual ones in the place of their word."""
    found: list[str] = []
    for name in run["baselines"]:
        found += usual(configuration, dataset) if name == WORD else [name]
    return list(dict.fromkeys(found))


def usual(configuration: Configuration, dataset: str) -> list[str]:
    """Return the usual baselines that suit a data set; the length only where sequences have lengths of their own."""
    config = configuration.dataset(dataset)
    configuration.compose_together("baseline", USUAL)
    found = [name for name in USUAL if suits(configuration, dataset, name)]
    return found if "sequences" in config else [name for name in found if name != "length"]


def suits(configuration: Configuration, dataset: str, baseline: str) -> bool:
    """Tell whether a baseline can predict a data set's kind of labels from its kind of sequences."""
    config = configuration.dataset(dataset)
    alphabet = config.get("sequences", {}).get("alphabet") or "dna"
    read = configuration.group("baseline", baseline).get("alphabets") or ["dna"]
    return label_kind_of(config) in kinds_of(configuration, baseline) and alphabet in read


def kinds_of(configuration: Configuration, baseline: str) -> list[str]:
    """Return the kinds of labels that a baseline predicts."""
    return list(configuration.group("baseline", baseline).get("labels") or ["binary"])


def to_beat(run: Mapping[str, Any], configuration: Configuration, dataset: str) -> list[str]:
    """Return the baselines of a data set of which the best is what gains are counted from."""
    return [name for name in of_dataset(run, configuration, dataset) if is_to_beat(configuration, name)]


def is_to_beat(configuration: Configuration, baseline: str) -> bool:
    """Tell whether gains are counted from a baseline where it is the best."""
    return bool(configuration.group("baseline", baseline).get("to_beat", True))


def named(run: Mapping[str, Any]) -> list[str]:
    """Return the baselines that a run names itself."""
    return [name for name in run["baselines"] if name != WORD]
