"""A run of a few minutes with the steps of the quickstart: a tenth of its genome, one architecture, three epochs."""

from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).parents[2]
SMALLER = 10


def write_tiny_run(folder: Path) -> Path:
    """Write the run's configuration into a folder, and return its configfile."""
    dataset = yaml.safe_load((HOME / "config/dataset/simulated.yaml").read_text())
    dataset["description"] = "A tenth of the built-in simulated genome"
    dataset["genome"]["name"] = "tiny"
    simulation = dataset["simulation"]
    simulation["contigs"] = {name: length // SMALLER for name, length in simulation["contigs"].items()}
    simulation["background"]["isochores"]["length"] //= SMALLER
    for factor in simulation["factors"].values():
        factor["sites"] //= SMALLER
    shrink_decoys(simulation["decoys"])
    (folder / "groups/dataset").mkdir(parents=True)
    (folder / "groups/dataset/tiny.yaml").write_text(yaml.safe_dump(dataset, sort_keys=False))
    run = {
        "run": "tiny",
        "config_dirs": [str(folder / "groups")],
        "datasets": ["tiny"],
        "models": ["deepbind_small+brief"],
        "variants": {"brief": ["training.max_epochs=3"]},
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(run))
    return folder / "tiny.yaml"


def shrink_decoys(decoys: dict[str, Any]) -> None:
    """Divide every number of decoy sites."""
    for name, value in decoys.items():
        if isinstance(value, dict):
            shrink_decoys(value)
        elif name in ("sites", "lone"):
            decoys[name] = value // SMALLER
