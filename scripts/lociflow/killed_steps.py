"""Steps that were ended for want of memory, which they cannot say themselves: read from what Snakemake has logged."""

import re
from collections.abc import Sequence
from pathlib import Path

# Slurm's states and its daemons' words with and without cgroups; a signal of the kernel's own on one machine.
SIGNS = (
    "OUT_OF_MEMORY",
    "oom_kill",
    "oom-kill",
    "xceeded job memory limit",
    "exceeded memory limit",
    "died with <Signals.SIGKILL: 9>",
    "returned non-zero exit status 137",
    # A step's own words, and those of a library whose worker was ended.
    "found no more memory",
    "is killed by signal: Killed",
)
FAILURE = re.compile(
    r"(?:^(?P<command>Command .*)\n)?^\[.*\]\nError in rule (?P<rule>\w+):\n(?P<about>(?:    .*\n)*)", re.MULTILINE
)
# A step's log may be long; why a scheduler has ended it stands at its end.
LAST_BYTES = 20_000


def steps_without_memory(text: str) -> dict[str, int | None]:
    """Return the steps that were ended for want of memory.

    Parameters
    ----------
    text
        What Snakemake has logged; the logs that it names of failed jobs are read too.

    Returns
    -------
    dict
        The ``mem_mb`` of the last attempt by rule, in the order of the failures; None where it is not said.
    """
    found = {}
    for failure in FAILURE.finditer(text):
        told = [failure["command"] or "", failure["about"], *map(end_of, log_files(failure["about"]))]
        if any(sign in part for part in told for sign in SIGNS):
            asked = re.findall(
                rf"^(?:local)?rule {failure['rule']}:\n(?:    .*\n)*?    resources: .*?\bmem_mb=(\d+)",
                text[: failure.start()],
                flags=re.MULTILINE,
            )
            found[failure["rule"]] = int(asked[-1]) if asked else None
    return found


def log_files(about: str) -> list[Path]:
    """Return the log files that Snakemake names of a failed job."""
    named = re.search(r"^    log: (.*?)(?: \(check log file.*)?$", about, flags=re.MULTILINE)
    return [Path(name) for name in named[1].split(", ")] if named else []


def end_of(path: Path) -> str:
    """Return the end of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LAST_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def advise(logs: Sequence[str]) -> list[str]:
    """Return a sentence for each step that was ended for want of memory: its name and what helps.

    Parameters
    ----------
    logs
        Snakemake's own log files.
    """
    found: dict[str, int | None] = {}
    for path in logs:
        found |= steps_without_memory(Path(path).read_text(encoding="utf-8", errors="replace"))
    return [sentence(rule, had) for rule, had in found.items()]


def sentence(rule: str, had: int | None) -> str:
    """Say what became of a step, and what helps."""
    asked, more = (f"mem_mb={had}", str(2 * had)) if had else ("its rule asks for", "MEGABYTES")
    return (
        f"{rule}: was ended, most likely because it took more memory than {asked} or than the machine had left; give "
        f"it more under set-resources of the profile, or with --set-resources {rule}:mem_mb={more} where the profile "
        "has no such key, or start fewer steps together"
    )
