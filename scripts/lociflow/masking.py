"""Keep passwords and tokens of addresses out of logs, records, command lines and reports."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

# Holds, as JSON, the true address of each masked one: a command line, which Snakemake prints and keeps, has these.
VARIABLE = "LOCIFLOW_ADDRESSES"
MASK = "***"

_LOGIN = re.compile(r"(?<=://)[^/?#\s'\"<>]*@")
# What stands for "I may": by the names that object stores, share links and interfaces give it.
_SECRET = re.compile(
    r"([?&;](?:[^=&;#\s'\"<>]*(?:token|secret|passw|signature|credential|[-_]key|api_?key|access_?key|auth_?key|rlkey"
    r"|private_link|ticket|session|jwt)[^=&;#\s'\"<>]*|sig|sas|auth|authorization|key|pwd|pass|code)=)"
    r"[^&#\s\"<>]*[^&#\s'\"<>:;,.)]",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Return a text in which the logins and tokens of addresses are ``***``."""
    return _SECRET.sub(rf"\g<1>{MASK}", _LOGIN.sub(f"{MASK}@", text))


def without_secrets(config: Any) -> Any:
    """Return a nested configuration of mappings and lists whose texts are masked."""
    if isinstance(config, Mapping):
        return {key: without_secrets(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [without_secrets(value) for value in config]
    return masked(config) if isinstance(config, str) else config


def revealed(address: str) -> str:
    """Return the true address of a masked one where :data:`VARIABLE` tells it, else the address itself."""
    found: dict[str, str] = json.loads(os.environ.get(VARIABLE) or "{}")
    return found.get(address, address)
