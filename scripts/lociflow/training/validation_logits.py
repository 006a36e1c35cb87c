"""What a trained model says of the validation bins, for corrections of its probabilities."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lociflow.data.dataset import Sample
from lociflow.models.outputs import Outputs
from lociflow.training.module import TrainingModule
from lociflow.training.spool import Spool


def spool_logits(
    spool: Spool,
    module: TrainingModule,
    weights: Mapping[str, Tensor],
    validation: DataLoader[Sample],
    outputs: Outputs,
    device: torch.device,
) -> None:
    """Predict the validation bins and put logits and labels away, to be read column by column.

    Parameters
    ----------
    spool
        Takes float32 logits, shape (batch, columns), and int16 labels of the same shape, -1 for missing: a target's
        label, or class, stands beside each of its columns.
    module
        Of the training.
    weights
        That were kept; the model has them afterwards.
    validation
        Loader of the validation bins.
    outputs
        What the model is asked for: binary labels or classes.
    device
        On which the bins are predicted.
    """
    model, one_hot = module.model.to(device), module.one_hot.to(device)
    model.load_state_dict(weights)
    model.eval()
    widths = [group.stop - group.start for group in outputs.groups]
    with torch.inference_mode():
        for batch in validation:
            logits = model(one_hot({name: view.to(device) for name, view in batch.views.items()}))
            labels = torch.where(batch.mask, batch.targets, -1).numpy().astype(np.int16)
            spool.append(logits.float().cpu().numpy(), np.repeat(labels, widths, axis=1))
