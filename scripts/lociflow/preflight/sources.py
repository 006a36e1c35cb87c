"""Whether every source of a run is here, or can be reached; nothing is downloaded."""

import http.client
import socket
import threading
import time
import urllib.error
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any, NamedTuple

from lociflow.command import UserError
from lociflow.download import local_path
from lociflow.layout import SOURCE
from lociflow.preflight.finding import ERROR, OK, WARN, Finding
from lociflow.web import open_address

# Seconds for one address, and for all of them.
TIMEOUT = 4.0
DEADLINE = 10.0
WORKERS = 24
FTP_PORT = 21
# Answers of servers that know no HEAD, and those that mean the file is not there.
NO_HEAD = frozenset({400, 403, 405, 501})
GONE = frozenset({401, 403, 404, 410})


class Answer(NamedTuple):
    """What an address said: bytes where it told them, the HTTP status where it refused, or why it was not reached."""

    size: int | None = None
    status: int | None = None
    unreached: str | None = None


class Reached(NamedTuple):
    """The findings, and the size in bytes of every source that told one."""

    findings: list[Finding]
    sizes: dict[str, int]


def local_file(source: Mapping[str, Any], place: Path, mirror: str | None) -> Path | None:
    """Return where a source lies on this machine already: fetched, in a mirror's folder, at its path; or None."""
    candidates = [place]
    if mirror and (source["url"] or not source["path"]):
        if "://" not in mirror:
            candidates.append(Path(mirror).expanduser() / source["file"])
        elif mirror.startswith("file:"):
            candidates.append(local_path(f"{mirror.rstrip('/')}/{urllib.parse.quote(source['file'])}"))
    elif source["path"]:
        candidates.append(Path(source["path"]).expanduser())
    elif isinstance(source["url"], str) and source["url"].startswith("file:"):
        candidates.append(local_path(source["url"]))
    return next((path for path in candidates if path.is_file()), None)


def addresses_of(source: Mapping[str, Any], mirror: str | None) -> list[str]:
    """Return the addresses from which a source that is not here would be fetched."""
    urls = [source["url"]] if isinstance(source["url"], str) else list(source["url"] or [])
    if mirror and (urls or not source["path"]):
        return [f"{mirror.rstrip('/')}/{urllib.parse.quote(source['file'])}"] if "://" in mirror else []
    return urls


def check_sources(
    files: Mapping[str, Mapping[str, Any]], mirror: str | None, ask: Callable[[str], Answer] | None = None
) -> Reached:
    """Look for every source on the disk, and ask the addresses of the others for their headers, all at once.

    Parameters
    ----------
    files
        As :func:`lociflow.sources.all_sources` returns.
    mirror
        Folder or base address of the run's mirror.
    ask
        Asks one address; :func:`ask_address` where None.

    Returns
    -------
    Reached
        An error for each source that cannot be had; one warning for all that no network reaches now.
    """
    sizes: dict[str, int] = {}
    wanted: dict[str, list[str]] = {}
    findings = []
    for file, source in files.items():
        here = local_file(source, Path(SOURCE.format(file=file)), mirror)
        if here is not None:
            sizes[file] = here.stat().st_size
            continue
        wanted[file] = addresses_of(source, mirror)
        if not wanted[file]:
            findings.append(Finding(f"source {file}", ERROR, _nowhere(source, mirror)))
    asked = {address for addresses in wanted.values() for address in addresses}
    answers = ask_all(asked, ask or ask_address)
    offline: dict[str, str] = {}
    for file, addresses in wanted.items():
        for address in addresses:
            answer = answers[address]
            if answer.status is not None:
                told = (
                    f"{address}: found HTTP status {answer.status}, expected the file; correct its address, or name a "
                    "mirror that holds it"
                )
                findings.append(Finding(f"source {file}", ERROR if answer.status in GONE else WARN, told))
            elif answer.unreached is not None:
                offline.setdefault(file, f"{_host(address)}: {answer.unreached}")
            else:
                sizes[file] = sizes.get(file, 0) + (answer.size or 0)
    if offline:
        first = next(iter(offline.values()))
        names = ", ".join(list(offline)[:3]) + (f" and {len(offline) - 3} more" if len(offline) > 3 else "")
        told = (
            f"{len(offline)} of {len(files)} files are not here and cannot be reached now ({first}): {names}; go "
            "online, or name a mirror that holds them"
        )
        findings.append(Finding("network", WARN, told))
    refused = {finding.what for finding in findings}
    reachable = [file for file in wanted if file not in offline and f"source {file}" not in refused]
    told = f"{len(files) - len(wanted)} here, {len(reachable)} reachable"
    findings.append(Finding("sources", OK, told))
    return Reached(findings, sizes)


def _nowhere(source: Mapping[str, Any], mirror: str | None) -> str:
    if mirror:
        return f"{source['file']}: the mirror {mirror} lacks it; put it there, or run without the mirror"
    made = f" (made from {source['derived_from']})" if source.get("derived_from") else ""
    return f"{source['file']}: has no address{made} and is not here; name a mirror that holds it"


def ask_all(addresses: Iterable[str], ask: Callable[[str], Answer]) -> dict[str, Answer]:
    """Ask many addresses at once, for :data:`DEADLINE` seconds; a host that was not reached is not asked again."""
    queue: Queue[str] = Queue()
    answers: dict[str, Answer] = {}
    dead: dict[str | None, Answer] = {}
    for address in sorted(addresses):
        queue.put(address)
    wanted = queue.qsize()

    def work() -> None:
        while True:
            try:
                address = queue.get_nowait()
            except Empty:
                return
            host = _host(address)
            answer = dead.get(host) or ask(address)
            if answer.unreached is not None:
                dead[host] = answer
            answers[address] = answer

    # Daemons: one that hangs in a name look-up must not keep the process.
    for _ in range(min(WORKERS, wanted)):
        threading.Thread(target=work, daemon=True).start()
    end = time.monotonic() + DEADLINE
    while len(answers) < wanted and time.monotonic() < end:
        time.sleep(0.01)
    late = Answer(unreached=f"no answer within {DEADLINE:.0f} s")
    found = dict(answers)
    return {address: found.get(address, late) for address in addresses}


def _host(address: str) -> str | None:
    try:
        return urllib.parse.urlsplit(address).hostname
    except ValueError:
        return None


def ask_address(address: str) -> Answer:
    """Ask one address for its headers."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError as error:
        return Answer(unreached=f"is no address ({error})")
    if parts.scheme == "file":
        path = local_path(address)
        return Answer(size=path.stat().st_size) if path.is_file() else Answer(status=404)
    try:
        if parts.scheme == "ftp":
            with socket.create_connection((str(parts.hostname), parts.port or FTP_PORT), timeout=TIMEOUT):
                return Answer()
        try:
            return _headers(address, "HEAD")
        except urllib.error.HTTPError as error:
            if error.code not in NO_HEAD:
                return Answer(status=error.code)
        return _headers(address, "GET")
    except urllib.error.HTTPError as error:
        return Answer(status=error.code)
    except (OSError, http.client.HTTPException, ValueError, UserError) as error:
        return Answer(unreached=str(getattr(error, "reason", error)))


def _headers(address: str, method: str) -> Answer:
    # A GET is closed before its body is read.
    with open_address(address, {"Accept-Encoding": "identity"}, TIMEOUT, method) as response:
        length = response.headers.get("Content-Length", "")
    return Answer(size=int(length) if length.isdecimal() else None)
