"""Names of files after what the user has named, as targets."""

import re
from collections.abc import Sequence

# What a file's name must not grow beyond, whatever a target is called.
LONGEST = 100


def file_names(names: Sequence[str], suffix: str) -> list[str]:
    """Return the name of a file for each target or track, in characters that every file system takes, and each once.

    Names that would be the same, also on a file system that does not tell capitals from small letters, get a number.

    Parameters
    ----------
    names
        In the order in which they are numbered.
    suffix
        What all of them end with, as ``.bw``.
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_.+-]+", "_", name).strip(".")[:LONGEST] or "_"
        number, chosen = 1, plain
        while chosen.lower() in taken:
            number += 1
            chosen = f"{plain}-{number}"
        taken.add(chosen.lower())
        found.append(f"{chosen}{suffix}")
    return found
