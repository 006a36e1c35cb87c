"""What the documentation tells a user to write is accepted as it stands."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from groups import DATASET, changed, write

from lociflow.config import Configuration, check_schema, read_schema
from lociflow.run import check_run
from lociflow.trainings import all_trainings, check_experiments, resolve

HOME = Path(__file__).parents[2]
SCHEMAS = HOME / "workflow/schemas"
PAGES = (HOME / "README.md", *sorted((HOME / "docs").glob("*.md")))
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def blocks(schema: str) -> list[Any]:
    """Return the YAML blocks of which every key is one of a schema, each with its page and line."""
    known = read_schema(SCHEMAS / f"{schema}.schema.yaml")["properties"]
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            content = yaml.safe_load(textwrap.dedent(match[2]))
            # A file of published numbers shares keys with a data set, but for its entries.
            if content.keys() <= known.keys() and ("entries" in content) == (schema == "published"):
                line = text[: match.start()].count("\n") + 1
                found.append(pytest.param(content, id=f"{page.name}:{line}"))
    return found


def test_every_block_is_tried() -> None:
    tried = sum(len(blocks(schema)) for schema in ("run", "dataset", "published"))
    assert tried == sum(len(BLOCK.findall(page.read_text())) for page in PAGES) > 0


@pytest.mark.parametrize("block", blocks("dataset"))
def test_a_data_set(block: dict[str, Any]) -> None:
    whole = block if "description" in block else changed(DATASET, **block)
    check_schema(whole, SCHEMAS / "dataset.schema.yaml", "the page")


@pytest.mark.parametrize("block", blocks("published"))
def test_published_numbers(block: dict[str, Any]) -> None:
    check_schema(block, SCHEMAS / "published.schema.yaml", "the page")


@pytest.mark.parametrize("block", blocks("run"))
def test_a_run(block: dict[str, Any], tmp_path: Path) -> None:
    (data_set,) = (found.values[0] for found in blocks("dataset") if "description" in found.values[0])
    write(tmp_path, "dataset", "my_peaks", data_set)
    run = yaml.safe_load((HOME / "config/config.yaml").read_text())
    run |= {key: value for key, value in block.items() if key != "config_dirs"}
    if "learning_curve" in block:
        run["variants"] |= {"pretrained": ["training.transfer={model: masked_nucleotides_small}"]}
    check_schema(run, SCHEMAS / "run.schema.yaml", "the page")
    groups = Configuration(HOME / "config", SCHEMAS, [tmp_path])
    check_run(run, groups)
    check_experiments(run, groups)
    trainings = list(all_trainings(run, groups))
    assert trainings
    for data_set, label in trainings:
        if "+chosen-" not in label:
            resolve(run, groups, data_set, label)
