"""What a machine says that fails or gives no more room or no more memory, told in a sentence with the remedy."""

import errno
import os
from pathlib import Path

# What only a write is told.
WRITING = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "make room within the quota and run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run again",
    errno.EROFS: "choose a working directory that can be written (--directory) and run again",
}
FILES = {
    **WRITING,
    errno.EACCES: "give yourself the right to it, or choose another working directory (--directory), and run again",
    errno.EPERM: "give yourself the right to it, or choose another working directory (--directory), and run again",
    errno.EIO: "the disk, or the way to it, has failed: see that it works and run again",
    errno.ESTALE: "the file server has lost it for a moment: run again",
    errno.EMFILE: "raise the limit on open files (ulimit -n) and run again",
    errno.ENFILE: "raise the machine's limit on open files, or start fewer steps together, and run again",
}
# How libraries say that memory is lacking: torch on a CPU and on a GPU, the system, a worker that the kernel has ended.
MEMORY = (
    "can't allocate memory",
    "CUDA out of memory",
    os.strerror(errno.ENOMEM),
    "is killed by signal: Killed",
    "is killed by signal: Bus error",
    "terminated abruptly",
)


def disk_refusal(error: BaseException, path: Path | None = None) -> str | None:
    """Tell in a sentence what a disk refused, whichever library was told first; None where it was something else.

    Parameters
    ----------
    error
        What was raised.
    path
        The file that was being written, where that is known.
    """
    place = path or getattr(error, "filename", None) or "a file of this step"
    for number, remedy in FILES.items():
        reason = os.strerror(number)
        # Libraries in C and C++ hand on the system's words, or its number, in errors of their own.
        if getattr(error, "errno", None) == number or reason in str(error) or f"errno = {number}," in str(error):
            done = "written" if path is not None or number in WRITING else "read or written"
            return f"{place}: cannot be {done} ({reason}); {remedy}"
    return None


def memory_refusal(error: BaseException, step: str) -> str | None:
    """Tell in a sentence which step was given no more memory, and what helps; None where it was something else."""
    lacking = isinstance(error, RuntimeError | OSError) and any(sign in str(error) for sign in MEMORY)
    if not lacking and not isinstance(error, MemoryError):
        return None
    told = " ".join(str(error).split())[:200] or type(error).__name__
    helps = (
        "run it on a GPU with more memory, or with smaller batches"
        if "CUDA" in told
        else "give its rule more mem_mb under set-resources of the profile, or start fewer steps together"
    )
    return f"{step}: found no more memory ({told}), expected as much as the step needs; {helps}"


def is_refusal(error: BaseException) -> bool:
    """Tell whether it is the machine that failed, so that a file which could not be read may be whole all the same."""
    return disk_refusal(error) is not None or memory_refusal(error, "") is not None
