"""A grid of 20 data sets, 20 models and 5 seeds is planned in seconds."""

import time

import pytest
import yaml


@pytest.mark.slow
def test_a_grid_of_two_thousand_trainings_is_planned_in_half_a_minute(copy):
    dataset = (copy.folder / "config/dataset/simulated.yaml").read_text()
    model = (copy.folder / "config/model/deepbind_small.yaml").read_text()
    for index in range(20):
        name = f"grid{index}"
        (copy.folder / f"config/dataset/{name}.yaml").write_text(dataset)
        (copy.folder / f"config/model/{name}.yaml").write_text(model)
    names = [f"grid{index}" for index in range(20)]
    run = {"run": "grid", "datasets": names, "models": names, "seeds": [1, 2, 3, 4, 5]}
    (copy.folder / "run.yaml").write_text(yaml.safe_dump(run))
    started = time.monotonic()
    counts = copy.jobs("--configfile", "run.yaml")
    seconds = time.monotonic() - started
    print(f"{sum(counts.values())} jobs planned in {seconds:.1f} s")
    assert counts["train"] == counts["predict"] == 2000
    assert counts["attribute"] == 400
