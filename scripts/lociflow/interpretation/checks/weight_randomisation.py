"""Randomise a model layer by layer from the output, to see whether its explanations change (Adebayo et al. 2018).

An explanation of a model must depend on what the model has learnt. Adebayo et al. (arXiv 1810.03292) redraw the weights
of one layer after the other, from the output down, and compare the new explanations with the real ones: those that stay
as they were show the input and not the model.
"""

import copy
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

# Sets these draws apart from others with the same seed.
PURPOSE = 0xADEB


class Stage(NamedTuple):
    """A model in which some more layers are randomised."""

    layers: list[str]
    """Those that are new in this stage, from the output down."""
    model: nn.Module


def layers_from_output(model: nn.Module, window: torch.Tensor) -> list[tuple[str, list[torch.Tensor]]]:
    """List a model's layers in the order from the output to the input.

    A layer is a module with weights of its own that takes part in a prediction. The order is that in which modules are
    called. Weights of a module that is never called itself, such as the projection inside torch's attention, belong to
    the module around it; the name of the model itself is empty.

    Parameters
    ----------
    model
        Maps ``(batch, 4, length)`` to scalars.
    window
        A one-hot window to predict, shape ``(1, 4, length)``.

    Returns
    -------
    list of (str, list of torch.Tensor)
        Name of each layer and its weights; running statistics of batch normalisation, which are learnt too, are among
        them.
    """
    called: dict[str, None] = {}
    modules = dict(model.named_modules())
    hooks = [
        module.register_forward_pre_hook(lambda *_, name=name: called.setdefault(name))
        for name, module in modules.items()
    ]
    try:
        with torch.no_grad():
            model(window)
    finally:
        for hook in hooks:
            hook.remove()
    owned: dict[str, list[torch.Tensor]] = {name: [] for name in called}
    for name, module in modules.items():
        own: list[torch.Tensor] = list(module.parameters(recurse=False))
        if isinstance(module, _BatchNorm):
            own += [found for found in (module.running_mean, module.running_var) if found is not None]
        while name not in owned:
            name = name.rpartition(".")[0]
        owned[name] += own
    return [(name, tensors) for name, tensors in reversed(owned.items()) if tensors]


def randomised(model: nn.Module, window: torch.Tensor, stages: int, seed: int) -> Iterator[Stage]:
    """Yield a model with more and more of its layers randomised, from the output down.

    A tensor's values are permuted among each other. What is learnt is which value stands where, and that is lost; the
    distribution of the weights stays, whatever the architecture's first weights would have been, so that no layer falls
    silent or saturates, which would change any explanation. A tensor with a single value stays as it is.

    Parameters
    ----------
    model
        As :func:`layers_from_output`; left alone.
    window
        As :func:`layers_from_output`.
    stages
        At most that many models: where there are more layers, neighbours are randomised together.
    seed
        At least 0. The permutations are a function of it and of the layer's place.

    Yields
    ------
    Stage
        One and the same model, more of which is randomised each time.
    """
    changed = copy.deepcopy(model)
    layers = layers_from_output(changed, window)
    for group in np.array_split(np.arange(len(layers)), max(1, min(stages, len(layers)))) if layers else ():
        for place in group.tolist():
            generator = np.random.Generator(np.random.Philox(key=[seed, PURPOSE], counter=[0, 0, 0, place]))
            for tensor in layers[place][1]:
                order = torch.from_numpy(generator.permutation(tensor.numel())).to(tensor.device)
                with torch.no_grad():
                    tensor.copy_(tensor.flatten()[order].view_as(tensor))
        yield Stage([layers[place][0] for place in group], changed)
