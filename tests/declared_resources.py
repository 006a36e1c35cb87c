"""What the rules of the workflow ask for, read from their text."""

import re
from pathlib import Path
from typing import NamedTuple

RULES = Path(__file__).parents[1] / "workflow" / "rules"


class Declared(NamedTuple):
    """What a rule asks for at its first attempt."""

    threads: int
    mem_mb: int
    runtime: int
    """Minutes."""
    uses_gpu: bool


def declared_resources() -> dict[str, Declared]:
    """Return what each rule with resources asks for; a rule that is another's with other files asks for the same."""
    text = "\n".join(path.read_text() for path in sorted(RULES.glob("*.smk")))
    bodies = re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    found = {name: read_rule(name, body) for name, body in bodies if "    resources:" in body}
    return found | {new: found[old] for old, new in re.findall(r"^use rule (\w+) as (\w+)", text, flags=re.MULTILINE)}


def read_rule(name: str, body: str) -> Declared:
    """Return what the text of one rule asks for."""
    numbers = []
    for pattern in (r"threads: (\d+)", r"mem_mb=grows\((\d+)\)", r"runtime=grows\((\d+)\)"):
        match = re.search(pattern, body)
        assert match, f"rule {name} says nothing of the form {pattern}"
        numbers.append(int(match[1]))
    return Declared(*numbers, "gpu=gpus()" in body)
