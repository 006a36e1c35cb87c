"""The splits that a data set's ``split`` declares, by name, before any bin exists."""

from collections.abc import Mapping, Sequence
from typing import Any

from lociflow.command import UserError

LEAKFREE = "leakfree"


def split_schemes(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of every split of a data set, in order.

    Parameters
    ----------
    config
        Of the data set: ``split``, a mapping with ``name``, ``_target_`` and settings, or a list of such; and
        ``clean``. A mapping with ``folds`` and no ``fold`` stands for all of its folds: NAME1 to NAMEk.

    Returns
    -------
    dict
        Settings by name. With ``clean`` every split is followed by a version without leaks, which has the one key
        ``clean_of``: ``leakfree``, or NAME.leakfree where there are several splits.

    Raises
    ------
    UserError
        Two splits have one name.
    """
    declared = config["split"]
    found: dict[str, dict[str, Any]] = {}
    for entry in declared if isinstance(declared, Sequence) else [declared]:
        settings = {key: value for key, value in entry.items() if key != "name"}
        name = str(entry["name"])
        folds = settings.get("folds")
        numbered = {name: settings}
        if isinstance(folds, int) and "fold" not in settings:
            numbered = {f"{name}{number}": {**settings, "fold": number} for number in range(1, folds + 1)}
        for each, chosen in numbered.items():
            if each in found:
                raise UserError(f"split: found the name {each} twice, expected each split to have its own; rename one")
            found[each] = chosen
    if not config.get("clean"):
        return found
    both: dict[str, dict[str, Any]] = {}
    for name, settings in found.items():
        clean = LEAKFREE if len(found) == 1 else f"{name}.{LEAKFREE}"
        if clean in found:
            raise UserError(f"split: the name {clean} is that of the split that clean: true makes; rename it")
        both |= {name: settings, clean: {"clean_of": name}}
    return both
