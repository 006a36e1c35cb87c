"""The settings of an interpretation step, read from its part of ``config/interpretation/*.yaml``."""

from collections.abc import Mapping
from typing import Any, TypeVar

from lociflow.command import UserError

Settings = TypeVar("Settings")


def read_settings(kind: type[Settings], section: str, config: Mapping[str, Any]) -> Settings:
    """Build a step's settings, a NamedTuple, from the configuration.

    Parameters
    ----------
    kind
        The NamedTuple: its fields are the keys.
    section
        Name of the part of the configuration, for messages.
    config
        Values by key.

    Raises
    ------
    UserError
        A key is missing or unknown.
    """
    try:
        return kind(**config)
    except TypeError as error:
        expected = ", ".join(kind._fields)  # type: ignore[attr-defined]
        raise UserError(f"{section}: {' '.join(str(error).split())}; expected {expected}") from None
