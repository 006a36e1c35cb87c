"""The reference of every configuration key, written from the JSON Schemas."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lociflow.command import atomic
from lociflow.config import GROUPS, read_schema

# One section a schema.
DOCUMENTED = ("run", *GROUPS, "published")
INTRODUCTION = """# Configuration

<!-- Made from workflow/schemas by `make docs`; edit the schemas. -->

- *Which* data sets, models and seeds a run trains: `config/config.yaml`, `config/runs/*.yaml`, or your own file with
  `--configfile`.
- *What* a data set, a model, a training, a baseline or an interpretation is: one YAML file each in
  `config/{dataset,model,training,baseline,interpretation}/`, or in the same folders under your own `config_dirs`.
- Which published scores a data set has: `config/published/`, or the same folder under `config_dirs`.
- *Where* it runs, with how many cores and GPUs and how much memory: Snakemake's options and `profiles/`.

Names of data sets and models are the names of their files. All files but those of published scores are
[Hydra](https://hydra.cc) groups: `defaults:` takes over another file, and `${dataset.windows.length}` stands for
another value. `_target_` names the function or class to use, `_partial_: true` one that still gets arguments from the
program; they must come from lociflow, `torch.nn`, `torch.optim` or `torchmetrics`. An unknown key is an error.

`--config key=value` passes text only; anything nested goes into a file for `--configfile`, where mappings are merged
with the defaults and lists replace them.
"""


def write_reference(schemas: Path, output: Path) -> None:
    """Write the reference of all keys as Markdown.

    Parameters
    ----------
    schemas
        Folder of ``<name>.schema.yaml`` for each of :data:`DOCUMENTED`.
    output
        Markdown file to write.
    """
    with atomic(output) as temporary:
        temporary.write_text(reference(schemas), encoding="utf-8")


def reference(schemas: Path) -> str:
    """Return the reference of all keys as Markdown."""
    parts = [INTRODUCTION]
    for name in DOCUMENTED:
        schema = read_schema(schemas / f"{name}.schema.yaml")
        parts.append(f"## {schema['title']}\n\n{schema['description']}\n\n{_table(schema, schema)}")
        for definition in schema.get("$defs", {}).values():
            parts.append(f"### {definition['title']}\n\n{definition['description']}\n\n{_table(definition, schema)}")
    return "\n".join(parts)


def _table(schema: dict[str, Any], root: dict[str, Any]) -> str:
    rows = ["| key | value | what |", "|---|---|---|"]
    rows += [f"| {key} | {kind} | {text} |" for key, kind, text in _rows(schema, root, "")]
    return "\n".join(rows) + "\n"


def _rows(schema: dict[str, Any], root: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", [])
    for key, value in schema.get("properties", {}).items():
        mark = " (required)" if key in required else ""
        yield f"`{prefix}{key}`{mark}", _kind(value, root), value.get("description", "").replace("|", "\\|")
        yield from _rows(value, root, f"{prefix}{key}.")
        if isinstance(value.get("additionalProperties"), dict) and value["additionalProperties"].get("properties"):
            yield from _rows(value["additionalProperties"], root, f"{prefix}{key}.NAME.")


def _kind(schema: dict[str, Any], root: dict[str, Any]) -> str:
    if "$ref" in schema:
        found: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        if "title" not in found:
            return _kind(found, root)
        title: str = found["title"]
        return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    if "enum" in schema:
        return ", ".join(f"`{'null' if value is None else value}`" for value in schema["enum"])
    if "type" not in schema and (choices := schema.get("oneOf") or schema.get("anyOf")):
        kinds = dict.fromkeys(_kind(choice, root) for choice in choices if "required" not in choice or "type" in choice)
        return " or ".join(kinds)
    if schema.get("type") == "array" and "$ref" in schema.get("items", {}):
        return f"list of {_kind(schema['items'], root)}"
    kinds = schema.get("type", "object")
    names = {"object": "mapping", "array": "list", "string": "text", "boolean": "true or false"}
    return " or ".join(names.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))
