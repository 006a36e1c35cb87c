"""What every script shares: its log, its status line, its errors and its outputs."""

import argparse
import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lociflow import checksums
from lociflow.machine_refusals import disk_refusal, memory_refusal
from lociflow.masking import masked

LOGGER = logging.getLogger("lociflow")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class UserError(Exception):
    """A mistake in what the user gave, told in one sentence: where, what was found, what was expected, the remedy.

    Line ends and other control characters, which a name in a file may hold, become blanks: a sentence is one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_CONTROL.sub(" ", message))


def run(function: Callable[..., Any], parser: argparse.ArgumentParser) -> None:
    """Run a step from the command line.

    ``--log`` is added to the parser's arguments; the log file receives every message, stderr the status lines. Files
    among the arguments are held to the checksums that the steps that wrote them have noted.

    Parameters
    ----------
    function
        Called with one keyword argument for each of the parser's arguments.
    parser
        Its description is the step's own sentence.

    Raises
    ------
    SystemExit
        1 for a :class:`UserError`, a disk that takes no more or memory that is lacking, told in a sentence; 70
        (``EX_SOFTWARE``) for anything else, with the traceback.
    """
    parser.add_argument("--log", type=Path, help="file that receives every message of this step")
    arguments = vars(parser.parse_args())
    try:
        log_to(arguments.pop("log"))
        check_files(arguments)
        function(**arguments)
        if found := next(checksums.changed(), None):
            raise UserError(
                f"{found}: found other content, or none, at the end of this step than at its beginning, expected it to "
                "stay; what was made of it is not to be trusted: run snakemake again and leave its files alone"
            )
    except UserError as error:
        LOGGER.error("error: %s", error)
        raise SystemExit(1) from None
    except Exception as error:
        if told := disk_refusal(error) or memory_refusal(error, parser.prog) or _missing(error, arguments):
            LOGGER.debug("what was refused or missing", exc_info=True)
            LOGGER.error("error: %s", told)
            raise SystemExit(1) from None
        LOGGER.exception("error: this is a fault of lociflow or of the machine, not of your data")
        raise SystemExit(70) from None


class _WithoutSecrets(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def check_files(value: Any, *folders: Path) -> None:
    """Refuse files that are not what the steps that made them wrote.

    Parameters
    ----------
    value
        Arguments of a step, or what it has read of where its files lie: paths, texts, lists and mappings of them.
        Folders among them are searched for the names too.
    folders
        More of these.

    Raises
    ------
    UserError
        A file is damaged or was replaced.
    """
    inside = [part for part in value.values() if isinstance(part, Path)] if isinstance(value, dict) else []
    folders = (*folders, *(path for path in inside if path.is_dir()))
    for path in dict.fromkeys(checksums.named_files(value, folders)):
        if told := checksums.damage(path):
            raise UserError(told)


def _missing(error: BaseException, arguments: dict[str, Any]) -> str | None:
    """Tell of a file that a step was given and that is not there; None where it was another error, or another file."""
    if not isinstance(error, FileNotFoundError) or not isinstance(error.filename, str | os.PathLike):
        return None
    parts = [part for value in arguments.values() for part in (value if isinstance(value, list | tuple) else [value])]
    if Path(error.filename) not in parts:
        return None
    return f"{error.filename}: there is no such file, expected one that an earlier step has made; run snakemake again"


def _asked_again(path: Path) -> OSError | None:
    """Return what the system says when a file is made longer: some libraries only say that they could not write."""
    try:
        with path.open("ab") as handle:
            handle.write(bytes(1 << 16))
    except OSError as error:
        return error
    return None


def log_to(path: Path | None) -> None:
    """Send messages of level INFO and above to stderr, and every message to a file where one is named.

    Logins and tokens of addresses are masked in both.
    """
    # A log on a disk that takes no more must not bury the step's own sentence under tracebacks.
    logging.raiseExceptions = False
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.INFO)
    terminal.setFormatter(_WithoutSecrets())
    LOGGER.addHandler(terminal)
    handlers: list[logging.Handler] = [terminal]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
        handlers[-1].setFormatter(_WithoutSecrets("%(asctime)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handlers[-1])
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

    The temporary name keeps the suffix, for the libraries that choose a format by it. The checksum of the file is
    noted; what processes that were killed have left under such names is removed.

    Raises
    ------
    UserError
        The disk is full, has a quota or cannot be written.
    """
    with contextlib.ExitStack() as stack:
        temporary: Path | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _sweep(path.parent, path.stem, path.suffix)
            handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
            stack.callback(os.close, handle)
            temporary = Path(name)
            stack.callback(temporary.unlink, missing_ok=True)
            _lock(handle)
            yield temporary
            # mkstemp makes files that only their owner may read; results are to be shared like any other file.
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            found = checksums.checksum(temporary) if checksums.record_of(path) else ""
            checksums.to_disk(temporary)
            checksums.forget(path)
            temporary.replace(path)
            checksums.to_disk(path.parent)
            checksums.note(path, found)
        except (OSError, RuntimeError) as error:
            again = _asked_again(temporary) if temporary is not None and temporary.exists() else None
            if told := disk_refusal(error, path) or (again and disk_refusal(again, path)):
                raise UserError(told) from error
            raise


def _lock(handle: int) -> bool:
    """Lock an open file as long as its process lives; False where another has it, or the file system knows no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(folder: Path, stem: str, suffix: str) -> None:
    left = re.compile(rf"\.+{re.escape(stem)}(\.[a-z0-9_]{{8}}){{1,2}}{re.escape(suffix)}")
    for other in folder.iterdir():
        if left.fullmatch(other.name):
            with contextlib.suppress(OSError), _opened(other) as handle:
                if _lock(handle):
                    shutil.rmtree(other) if other.is_dir() else other.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``folder`` that replaces it as a whole on success and vanishes on failure.

    Raises
    ------
    UserError
        As :func:`atomic`.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent, folder.name, "")
        written = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            with _opened(written) as handle:
                _lock(handle)
                written.chmod(0o755)
                yield written
                for path in (*written.rglob("*"), written):
                    checksums.to_disk(path)
                if folder.exists():
                    shutil.rmtree(folder)
                written.rename(folder)
                checksums.to_disk(folder.parent)
                checksums.note_folder(folder)
        finally:
            shutil.rmtree(written, ignore_errors=True)
    except (OSError, RuntimeError) as error:
        if told := disk_refusal(error, folder):
            raise UserError(told) from error
        raise


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
        temporary.write_text(json_text(value), encoding="utf-8")


def json_text(value: Any) -> str:
    """Return a value as :func:`write_json` writes it."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
