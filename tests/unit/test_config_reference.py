"""The reference of the configuration: in step with the schemas, and complete."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lociflow.config_reference import DOCUMENTED, INTRODUCTION, reference, write_reference

HOME = Path(__file__).parents[2]
SCHEMAS = HOME / "workflow" / "schemas"
TOY = {
    "title": "Toy",
    "description": "A toy.",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "description": "How large."},
        "mode": {"enum": ["a", "b"], "description": "One | other."},
        "where": {"$ref": "#/$defs/place", "description": "Where it lies."},
        "more": {
            "type": ["object", "null"],
            "description": "More.",
            "required": ["on"],
            "properties": {"on": {"type": "boolean", "description": "Whether."}},
        },
    },
    "$defs": {
        "place": {
            "title": "Place",
            "description": "A place.",
            "properties": {"path": {"type": "string", "description": "Its path."}},
        }
    },
}


def properties(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in schema.get("properties", {}).items():
        yield f"{prefix}{key}", value
        yield from properties(value, f"{prefix}{key}.")
    for definition in schema.get("$defs", {}).values():
        yield from properties(definition, prefix)


@pytest.fixture
def toy_schemas(tmp_path):
    for name in DOCUMENTED:
        (tmp_path / f"{name}.schema.yaml").write_text(yaml.safe_dump(TOY, sort_keys=False))
    return tmp_path


def test_config_readme_is_what_the_schemas_say():
    found = (HOME / "config" / "README.md").read_text(encoding="utf-8")
    assert found == reference(SCHEMAS), "config/README.md is stale: run `make docs`"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_key_has_a_description_and_a_row(name):
    schema = yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text())
    text = reference(SCHEMAS)
    for key, value in properties(schema):
        assert value.get("description"), f"{name}: {key} has no description"
        assert f"| `{key}`" in text


def test_a_row_tells_key_kind_and_meaning(toy_schemas):
    text = reference(toy_schemas)
    assert text.startswith(INTRODUCTION)
    toy = """## Toy

A toy.

| key | value | what |
|---|---|---|
| `size` (required) | integer | How large. |
| `mode` | `a`, `b` | One \\| other. |
| `where` | [place](#place) | Where it lies. |
| `more` | mapping or null | More. |
| `more.on` (required) | true or false | Whether. |

### Place

A place.

| key | value | what |
|---|---|---|
| `path` | text | Its path. |
"""
    assert text.count(toy) == len(DOCUMENTED)


def test_the_reference_is_written_to_a_file(toy_schemas, tmp_path):
    write_reference(toy_schemas, tmp_path / "new" / "README.md")
    assert (tmp_path / "new" / "README.md").read_text(encoding="utf-8") == reference(toy_schemas)
