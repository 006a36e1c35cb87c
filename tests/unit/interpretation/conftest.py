import numpy as np
import pandas as pd
import pytest
from toy import Toy, make_toy

from lociflow.models.checkpoint import load_model, save_checkpoint


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    return make_toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def toy_of_one(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The toy with a model of its first target alone, which is the second of the data set."""
    folder = tmp_path_factory.mktemp("one")
    found = toy._replace(
        targets=folder / "targets.npy", target_table=folder / "targets.tsv", checkpoint=folder / "model.ckpt"
    )
    np.save(found.targets, np.load(toy.targets)[:, ::-1])
    pd.read_csv(toy.target_table, sep="\t")[::-1].to_csv(found.target_table, sep="\t", index=False)
    loaded = load_model(toy.checkpoint)
    state = {name: tensor[:1] if len(tensor) == 2 else tensor for name, tensor in loaded.model.state_dict().items()}
    save_checkpoint(found.checkpoint, state, loaded.config, loaded.outputs.only([0]), {})
    return found
