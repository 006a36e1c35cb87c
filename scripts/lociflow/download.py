"""Bring one address to the disk: resumed where a transfer broke off, retried, held to the length that was announced."""

import contextlib
import email.utils
import ftplib
import http.client
import json
import math
import re
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from lociflow.checksums import forget
from lociflow.command import UserError, status, write_json
from lociflow.masking import MASK, masked
from lociflow.web import open_address

SCHEMES = ("http", "https", "ftp", "file")
BLOCK = 1 << 20
# What a server may say of a length or a time: a number that a file can have.
NUMBER = re.compile(r"[0-9]{1,30}")
PROGRESS_SECONDS = 2.0

# Answers that say "later" and not "no".
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

# Ends of the addresses of files that are packed themselves.
PACKED = (".gz", ".bgz", ".bam", ".bcf", ".tbi", ".csi")


class Patience(NamedTuple):
    """How long a download bears with a bad connection. Times are in seconds."""

    tries: int = 4
    back_off: float = 1.0
    """Wait after the first failure; doubled after each further one."""
    longest_wait: float = 60.0
    """A server's own Retry-After is honoured up to this."""
    timeout: float = 60.0
    """To connect, and between two pieces of data."""
    slowest: float = 100.0
    """Bytes a second, measured over ``timeout``, below which a transfer counts as broken off."""
    largest: int = 1 << 38
    """Bytes of a file whose length no server announces; more is taken for a stream without an end."""


PATIENCE = Patience()


class _Interrupted(Exception):
    """A failure that another try may mend."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


def check_address(url: str) -> str:
    """Return the scheme of an address.

    Raises
    ------
    UserError
        It is not one of :data:`SCHEMES`, the address is malformed, or it holds a password.
    """
    try:
        found = urllib.parse.urlsplit(url)
    except ValueError as error:
        raise UserError(f"{url}: is no address ({error}); correct it") from None
    if found.scheme not in SCHEMES:
        raise UserError(f"{url}: found scheme {found.scheme or 'none'!r}, expected one of {', '.join(SCHEMES)}")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise UserError(f"{url!r}: found white space in the address, expected none; write a space as %20")
    if found.scheme == "file" and found.netloc not in ("", "localhost"):
        raise UserError(f"{url}: found host {found.netloc}, expected none; write file:///absolute/path")
    try:
        found.port  # noqa: B018  a password with a slash reads like a port
    except ValueError:
        raise UserError(
            f"{found.scheme}://{MASK}: found a port that is no number, expected none or a number; a password does not "
            "belong into an address: write it into ~/.netrc (for https)"
        ) from None
    if found.scheme != "file" and not found.hostname:
        raise UserError(f"{url}: has no host; expected {found.scheme}://host/path")
    if "@" in found.netloc:
        raise UserError(
            f"{masked(url)}: found a login in the address, expected none, as configurations are passed on; write it "
            "into ~/.netrc (for https), or fetch the file by hand and name its path"
        )
    return found.scheme


def local_path(url: str) -> Path:
    """Turn a ``file:`` address into a path."""
    return Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))


def state_path(part: Path) -> Path:
    """Return where the address, validators and length of an unfinished file are kept: beside it."""
    return part.with_name(f"{part.name}.json")


def discard(part: Path) -> None:
    """Remove an unfinished file and what was noted about it."""
    part.unlink(missing_ok=True)
    state_path(part).unlink(missing_ok=True)
    forget(state_path(part))


def download(url: str, part: Path, digest_known: bool, remedy: str, patience: Patience = PATIENCE) -> bool:
    """Download an http, https or ftp address.

    What arrived before a transfer broke off stays on the disk, for the next try or the next call. It is used again
    only if the server says by ETag or Last-Modified that its file is the same, or if the caller will check the digest.
    FTP always begins again.

    Parameters
    ----------
    url
        The address.
    part
        File to write; it holds the whole content on return. Its :func:`state_path` lies beside it until
        :func:`discard` removes both.
    digest_known
        Whether the caller can tell a wrong content.
    remedy
        What the user may do when the address does not give the file; ends the error's sentence.
    patience
        Tries, waits and time-outs.

    Returns
    -------
    bool
        Whether some of the content arrived in an earlier transfer.

    Raises
    ------
    UserError
        The address does not give the file, the tries are used up, or the disk does not take it.
    """
    for attempt in range(patience.tries):
        try:
            return _transfer(url, part, digest_known, remedy, patience)
        except _Interrupted as error:
            if attempt + 1 == patience.tries:
                raise UserError(
                    f"{url}: {error}, expected the whole file; gave up after {patience.tries} tries: run again to go "
                    f"on where it stopped, or {remedy}"
                ) from None
            wait = max(patience.back_off * 2**attempt, min(error.wait, patience.longest_wait))
            status(f"{url}: {error}; trying again in {wait:.0f} s ({attempt + 2} of {patience.tries})")
            time.sleep(wait)
    raise ValueError(f"patience.tries: found {patience.tries}, expected at least 1")


def _transfer(url: str, part: Path, digest_known: bool, remedy: str, patience: Patience) -> bool:
    state = _read_state(part, url)
    have = part.stat().st_size if state else 0
    if have and have == state["total"]:
        return True
    headers = {"User-Agent": "lociflow", "Accept-Encoding": "identity"}
    validator = _validator(state)
    if have and (validator or digest_known):
        headers["Range"] = f"bytes={have}-"
        if validator:
            headers["If-Range"] = validator
    else:
        have = 0
    try:
        response = open_address(url, headers, patience.timeout)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error, url, part, remedy) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise UserError(
                f"{url}: the server's certificate is not valid ({error.reason.verify_message}); {remedy}"
            ) from None
        refused = _ftp_refusal(error)
        if refused:
            raise UserError(f"{url}: the server answered {refused}, expected the file; {remedy}") from None
        raise _Interrupted(f"no connection ({error.reason})") from None
    except http.client.InvalidURL as error:
        raise UserError(f"{url}: is no address ({error}); correct it") from None
    except (OSError, http.client.HTTPException, EOFError) as error:
        raise _Interrupted(f"no connection ({_why(error)})") from None
    except ValueError as error:
        raise UserError(f"{url}: is no address, or redirects to what is none ({error}); {remedy}") from None
    with response:
        total = _announced(response.headers.get("Content-Length"))
        status_code = getattr(response, "status", None)
        _refuse_answer(response, status_code, url, remedy)
        if status_code == http.HTTPStatus.PARTIAL_CONTENT:
            total = _total_of_rest(response.headers, have, state, digest_known)
            if not have or total is None:
                # The rest of something else than what is here; its beginning must come from the same file.
                discard(part)
                raise _Interrupted("the server's file is no longer the one that the transfer began with")
        else:
            have = 0
        if not have:
            discard(part)
            _write_state(part, url, response.headers, total)
        if total is None and not (digest_known or getattr(response, "chunked", False)):
            raise UserError(
                f"{url}: the server announces no length, so that a transfer that broke off would look like a whole "
                f"one, expected a length or a known digest; give the source its sha256, or {remedy}"
            )
        _refuse_without_room(part, url, have, total)
        if have:
            status(f"{url}: going on after {have:,} bytes")
        done = _receive(response, part, url, have, total, patience)
    if not done and not digest_known:
        discard(part)
        raise UserError(
            f"{url}: found an empty file, expected some content; {remedy}, or give the source the sha256 of an empty "
            "file if it is meant"
        )
    if total is None and done > patience.largest:
        discard(part)
        raise UserError(f"{url}: found more than {patience.largest:,} bytes and no end, expected a file; {remedy}")
    if total is None:
        _write_state(part, url, response.headers, done)
    elif done > total:
        discard(part)
        raise _Interrupted(f"found {done:,} bytes instead of {total:,}")
    elif done < total:
        raise _Interrupted(f"the transfer broke off after {done:,} of {total:,} bytes")
    return have > 0


def _refuse_answer(response: Any, code: int | None, url: str, remedy: str) -> None:
    """Refuse what is no file: another answer than "here it is", or one that is packed though it was asked for plain."""
    if code == http.HTTPStatus.ACCEPTED:
        raise _Interrupted("the server answered 202 Accepted, not yet the file", _retry_after(response.headers))
    if code not in (None, http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
        raise UserError(f"{url}: the server answered {code} {response.reason}, expected the file; {remedy}")
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    # Many servers call the gzip of a file that is gzip itself an encoding.
    if encoding != "identity" and not urllib.parse.urlsplit(url).path.lower().endswith(PACKED):
        raise UserError(
            f"{url}: the server sends the file packed (Content-Encoding: {encoding}), expected it as it is; {remedy}"
        )


def _refuse_without_room(part: Path, url: str, have: int, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        raise UserError(
            f"{url}: has {total - have:,} bytes to come, and {part.parent} has room for {free:,}; make room or choose "
            "another folder"
        )


def _receive(response: Any, part: Path, url: str, have: int, total: int | None, patience: Patience) -> int:
    done = have
    shown = time.monotonic()
    since, before = shown, done
    with writing(part), part.open("ab" if have else "wb") as handle:
        while True:
            try:
                # read1 hands on what has arrived, so that a broken connection loses nothing of it.
                block = response.read1(BLOCK)
            except (OSError, http.client.HTTPException, EOFError) as error:
                raise _Interrupted(f"the transfer broke off after {done:,} bytes ({_why(error)})") from None
            if not block:
                return done
            handle.write(block)
            done += len(block)
            if done > (patience.largest if total is None else total):
                return done
            now = time.monotonic()
            if now - since > patience.timeout:
                if done - before < patience.slowest * (now - since):
                    raise _Interrupted(
                        f"found {done - before:,} bytes in {now - since:.0f} s after {done:,} bytes, too slow to go on"
                    )
                since, before = now, done
            if now - shown > PROGRESS_SECONDS:
                shown = now
                status(f"{url}: {done:,} bytes" + (f" of {total:,} ({done / total:.0%})" if total else ""))


@contextlib.contextmanager
def writing(part: Path) -> Iterator[None]:
    """Turn what the disk says while ``part`` is written into a sentence."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{part}: cannot be written ({error.strerror}); make room or choose another folder") from None


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _refusal(error: urllib.error.HTTPError, url: str, part: Path, remedy: str) -> Exception:
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        discard(part)
        return _Interrupted("the server's file is shorter than what an earlier transfer brought")
    if error.code in PASSING:
        return _Interrupted(f"the server answered {error.code} {error.reason}", _retry_after(error.headers))
    if 300 <= error.code < 400:
        reason = " ".join(str(error.reason).split())
        return UserError(
            f"{url}: the server redirects too often or to a place that is not allowed ({reason}); {remedy}"
        )
    return UserError(f"{url}: the server answered {error.code} {error.reason}, expected the file; {remedy}")


def _ftp_refusal(error: BaseException | None) -> ftplib.error_perm | None:
    # urllib wraps what ftplib says in one or two errors of its own.
    while error is not None and not isinstance(error, ftplib.error_perm):
        error = error.__cause__
    return error


def _retry_after(headers: Message) -> float:
    text = headers.get("Retry-After") or ""
    if NUMBER.fullmatch(text.strip()):
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, math.ceil((moment - datetime.now(UTC)).total_seconds()))
    except (ValueError, OverflowError):
        return 0.0


def _announced(text: str | None) -> int | None:
    return int(text) if text is not None and NUMBER.fullmatch(text.strip()) else None


def _total_of_rest(headers: Message, have: int, state: Mapping[str, Any], digest_known: bool) -> int | None:
    """Return the length of the whole file whose rest a server sends, or None where it is not the rest of ours."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", (headers.get("Content-Range") or "").strip())
    if not found or int(found[1]) != have:
        return None
    etag, last_modified = headers.get("ETag"), headers.get("Last-Modified")
    # With 206 a server repeats the ETag and may leave out Last-Modified (RFC 9110, 15.3.7).
    if state.get("etag") and etag != state["etag"] and not (digest_known and etag is None):
        return None
    if state.get("last_modified") and last_modified not in (None, state["last_modified"]):
        return None
    total = int(found[2]) + 1 if found[3] == "*" else int(found[3])
    return total if state["total"] in (None, total) else None


def _validator(state: Mapping[str, Any]) -> str | None:
    etag = state.get("etag")
    # A weak ETag promises the same meaning and not the same bytes: If-Range may not carry it (RFC 9110, 13.1.5).
    if etag and not etag.startswith("W/"):
        return str(etag)
    return state.get("last_modified")


def _read_state(part: Path, url: str) -> dict[str, Any]:
    try:
        state = json.loads(state_path(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not part.is_file() or not isinstance(state, dict) or state.get("url") != masked(url) or "total" not in state:
        return {}
    return state


def _write_state(part: Path, url: str, headers: Message, total: int | None) -> None:
    state = {
        "url": masked(url),
        "etag": headers.get("ETag"),
        "last_modified": headers.get("Last-Modified"),
        "total": total,
    }
    with writing(part):
        write_json(state_path(part), state)
