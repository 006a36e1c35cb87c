"""What a check before the run says."""

from typing import NamedTuple

OK = "ok"
WARN = "warn"
ERROR = "error"


class Finding(NamedTuple):
    """The outcome of one check."""

    what: str
    """What was looked at."""
    verdict: str
    """:data:`OK`, :data:`WARN` or :data:`ERROR`."""
    told: str
    """What was found; for an error a sentence with the remedy."""
