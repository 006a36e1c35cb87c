"""What every script shares: its log, its status line, its errors and its outputs."""

import argparse
import contextlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger("lociflow")

# How torch says so: on a CPU, and on a GPU.
NO_MEMORY = ("can't allocate memory", "CUDA out of memory")


class UserError(Exception):
    """A mistake in what the user gave, told in one sentence: where, what was found, what was expected, the remedy."""


def run(function: Callable[..., Any], parser: argparse.ArgumentParser) -> None:
    """Run a step from the command line.

    ``--log`` is added to the parser's arguments; the log file receives every message, stderr the status lines.

    Parameters
    ----------
    function
        Called with one keyword argument for each of the parser's arguments.
    parser
        Its description is the step's own sentence.

    Raises
    ------
    SystemExit
        1 for a :class:`UserError` and where memory is lacking, with a sentence and without a traceback; 70
        (``EX_SOFTWARE``) for anything else, with the traceback.
    """
    parser.add_argument("--log", type=Path, help="file that receives every message of this step")
    arguments = vars(parser.parse_args())
    log_to(arguments.pop("log"))
    try:
        function(**arguments)
    except UserError as error:
        LOGGER.error("error: %s", error)
        raise SystemExit(1) from None
    except Exception as error:
        if lacks_memory(error):
            LOGGER.debug("where memory was lacking", exc_info=True)
            LOGGER.error("error: %s", more_memory(parser.prog, error))
            raise SystemExit(1) from None
        LOGGER.exception("error: this is a fault of lociflow or of the machine, not of your data")
        raise SystemExit(70) from None


def lacks_memory(error: Exception) -> bool:
    """Tell whether a step has failed because it was given no more memory."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in NO_MEMORY)
    )


def more_memory(step: str, error: Exception) -> str:
    """Say in one sentence which step lacked memory, and what helps."""
    told = " ".join(str(error).split())[:200] or type(error).__name__
    helps = (
        "run it on a GPU with more memory, or with smaller batches"
        if "CUDA" in told
        else "give its rule more mem_mb under set-resources of the profile, or start fewer steps together"
    )
    return f"{step}: found no more memory ({told}), expected as much as the step needs; {helps}"


def log_to(path: Path | None) -> None:
    """Send messages of level INFO and above to stderr, and every message to a file where one is named."""
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO)
    handlers: list[logging.Handler] = [terminal]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
        handlers[-1].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for handler in handlers:
        LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.propagate = False
    logging.captureWarnings(True)
    warnings = logging.getLogger("py.warnings")
    warnings.propagate = False
    for handler in handlers[1:] or handlers:
        warnings.addHandler(handler)


def status(message: str) -> None:
    """Tell the user, in one line, where the step stands."""
    LOGGER.info(message)


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` that becomes ``path`` on success and vanishes on failure.

    The temporary name keeps the suffix, for the libraries that choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files that only their owner may read; results are to be shared like any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def json_argument(text: str) -> Any:
    """Read a command-line argument that holds JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"expected JSON, found {text[:60]!r} ({error})") from None


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, always with the same bytes for the same value.

    Raises
    ------
    ValueError
        ``value`` holds NaN or infinity, which JSON does not have; a missing number is None.
    """
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
        )
