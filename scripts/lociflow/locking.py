"""One process at a time where two would write the same file."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from lociflow.command import status


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold ``<path>.lock`` and wait for another process that does.

    The system lets go of the lock of a process that is killed. On a file system without locks this says so and does
    nothing.

    Parameters
    ----------
    path
        File that only one process may write; its folder exists.
    """
    lock = path.with_name(f"{path.name}.lock")
    handle = _locked(lock)
    try:
        yield
    finally:
        # Before the lock is let go of: whoever waits for it sees that the file is another one, and makes its own.
        lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(lock: Path) -> int:
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            status(f"{lock}: another process writes this file; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            status(f"{lock}: this file system has no locks ({error.strerror}); do not fetch one file twice at once")
            return handle
        with contextlib.suppress(FileNotFoundError):
            if lock.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)
