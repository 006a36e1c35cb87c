"""What a network that is not trained lacks: the statistics by which it normalises."""

import itertools
from collections.abc import Iterable

import torch
from torch.optim.swa_utils import update_bn

from lociflow.data.dataset import Sample
from lociflow.training.module import TrainingModule

# Windows are drawn at random, so that a few batches tell mean and variance.
BATCHES = 16


def settle_normalisation(module: TrainingModule, batches: Iterable[Sample], seed: int) -> None:
    """Take the statistics of batch normalisation from the first batches; no weight changes.

    With those that it is made with, mean 0 and variance 1, a network whose normalisation begins below 0, so that first
    layers detect little (:mod:`lociflow.models.blocks`), says the same of every window: a dead network, and no control.

    Parameters
    ----------
    module
        Its network is changed in place.
    batches
        Of training.
    seed
        Of what the network itself draws, as dropout.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        update_bn((module.one_hot(sample.views) for sample in itertools.islice(batches, BATCHES)), module.model)
