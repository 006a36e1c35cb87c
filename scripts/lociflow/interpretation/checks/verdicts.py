"""What the checks of an explanation are called, and which of them it has failed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lociflow.formats import read_stamped

KIND = "explanation checks"

PASS, FAIL, NOT_APPLICABLE = "pass", "fail", "not applicable"

CHECKS = {
    "randomisation": "randomised weights",
    "deletion": "deletion",
    "insertion": "insertion",
    "completeness": "completeness",
}
"""Title of each check, by its key in the file."""


def above(low: float, threshold: float) -> str:
    """Judge a value that must lie above a threshold by the lower end of its interval."""
    return PASS if low > threshold else FAIL


def below(value: float, threshold: float) -> str:
    """Judge a value that must lie below a threshold."""
    return PASS if value < threshold else FAIL


def failed(checks: Mapping[str, Any]) -> list[str]:
    """Return the titles of the checks that an explanation has failed."""
    return [title for key, title in CHECKS.items() if checks[key]["verdict"] == FAIL]


def distrusted(checks: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """Return the labels of the explanations that have failed a check, each with the titles of these checks.

    Parameters
    ----------
    checks
        Label and file of the checks of each explanation.

    Raises
    ------
    UserError
        As :func:`read_checks`.
    """
    return {label: names for label, path in checks if (names := failed(read_checks(path)))}


def read_checks(path: Path) -> dict[str, Any]:
    """Read the checks of one explanation, as :func:`lociflow.interpretation.checks.check.check_explanations`.

    Raises
    ------
    UserError
        The file is missing, is something else, or has another version.
    """
    return read_stamped(path, KIND)
