"""Passwords and tokens in addresses, masked before anything is written for others to read."""

import re
from typing import Any

MASK = "***"
# user:password@ after a scheme, and the values of a query that open a door.
USER = re.compile(r"(?<=://)[^/\s@\"']+@")
TOKEN = re.compile(
    r"([?&;][\w.-]*(?:token|key|signature|sig|secret|password|passwd|pwd|auth|credential|session)[\w.-]*=)[^&;#\s\"']+",
    re.IGNORECASE,
)


def masked(value: Any) -> Any:
    """Return a JSON value, or a text, in which passwords and tokens of addresses are :data:`MASK`."""
    if isinstance(value, str):
        return TOKEN.sub(rf"\g<1>{MASK}", USER.sub(f"{MASK}@", value))
    if isinstance(value, dict):
        return {key: masked(one) for key, one in value.items()}
    return [masked(one) for one in value] if isinstance(value, list | tuple) else value
