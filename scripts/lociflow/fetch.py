"""Fetch a source of a data set: from its address, from a mirror or from a local path, and hold it to its digest."""

import hashlib
import json
import re
import shutil
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from lociflow import checksums
from lociflow.command import UserError, atomic, status, write_json
from lociflow.compression import GZIP_ERRORS, is_gzip, open_binary
from lociflow.download import PATIENCE, Patience, check_address, discard, download, local_path, writing
from lociflow.file_digest import sha256_of
from lociflow.formats import check_format, stamp
from lociflow.locking import alone
from lociflow.masking import masked, without_secrets

KEYS = ("file", "url", "path", "sha256", "derived_from")
BLOCK = 1 << 20


class Source(NamedTuple):
    """Where one input file of a data set comes from."""

    file: str
    """Its place among the sources and in a mirror, relative."""
    urls: tuple[str, ...]
    """Addresses whose contents are joined; none for a file that only a mirror or a path has."""
    path: Path | None
    """A local file, relative to the working directory."""
    sha256: str | None
    """Of the whole file, in hexadecimal."""
    derived_from: Any
    """What the file was made from, for the record."""


class Origin(NamedTuple):
    """Where a file is taken from this time."""

    via: str
    """``url``, ``mirror`` or ``path``."""
    places: tuple[str | Path, ...]
    remedy: str
    """What a user may do when it is not there."""


def fetch(
    source: Mapping[str, Any], output: Path, record: Path, mirror: str | None = None, patience: Patience = PATIENCE
) -> None:
    """Fetch a source.

    A mirror is used for all sources but those that have only a path; if it lacks the file this is an error, never a
    reason to turn to the network unasked. A source with an address and a path is taken from the path.

    A download without a known digest is noted in ``<output>.first_seen``, which is no output of any rule and so
    outlives a rerun, and later downloads are held to it. A local path is the user's own file and may change.

    Several addresses are each unpacked where they are gzip and joined, with the line end that one may lack. ``sha256``
    is then the digest of the joined file as a mirror holds it, line widths included, and is not asked of the join:
    its contigs' digests are, when it is encoded.

    Parameters
    ----------
    source
        ``file``; ``url`` (one, several or null), ``path``, ``sha256``, ``derived_from`` (each optional).
    output
        File to write; ``<output>.part`` keeps an unfinished transfer for the next call.
    record
        JSON to write: ``file``, ``via``, ``from`` (addresses or paths), ``sha256``, ``bytes``, ``pinned`` (whether the
        digest was known beforehand), ``held_to`` (in words), ``derived_from``.
    mirror
        Folder, or base address (http, https, ftp, file), that holds the sources under their ``file``.
    patience
        Tries, waits and time-outs of downloads.

    Raises
    ------
    UserError
        The source is badly described, cannot be had, or is not what it should be; nothing is written then.
    """
    wanted = parse_source(source)
    origin = locate(wanted, mirror)
    output.parent.mkdir(parents=True, exist_ok=True)
    with alone(output):
        _fetch(wanted, origin, output, record, patience)


def _fetch(wanted: Source, origin: Origin, output: Path, record: Path, patience: Patience) -> None:
    # The record comes last: where there is one, it describes the file beside it.
    record.unlink(missing_ok=True)
    joined = len(origin.places) > 1
    pinned = wanted.sha256 if not joined else None
    part = output.with_name(f"{output.name}.part")
    if joined:
        _join(origin, output, part, patience)
    else:
        _obtain(origin, part, output.name, pinned, patience)
    digest = sha256_of(part)
    if pinned is not None and digest != pinned:
        discard(part)
        raise UserError(
            f"{output}: found sha256 {digest} in what came from {origin.places[0]}, expected {pinned}; nothing of it "
            "was kept: the file has changed or is another one, so find the right address or mirror, or correct sha256"
        )
    held_to = "sha256"
    if pinned is None and origin.via != "path" and not joined:
        _refuse_damaged(part, origin)
    if pinned is None:
        held_to = _hold_to_first(origin, output, part, digest) if origin.via != "path" else "nothing: a local file"
    if joined:
        held_to += ", and to the digests of its contigs if the genome pins them"
    size = part.stat().st_size
    checked = checksums.checksum(part)
    checksums.to_disk(part)
    checksums.forget(output)
    part.replace(output)
    checksums.to_disk(output.parent)
    checksums.note(output, checked)
    discard(part)
    write_json(
        record,
        {
            **stamp("source"),
            "file": wanted.file,
            "via": origin.via,
            "from": [masked(str(place)) for place in origin.places],
            "sha256": digest,
            "bytes": size,
            "pinned": pinned is not None,
            "held_to": held_to,
            "derived_from": without_secrets(wanted.derived_from),
        },
    )
    status(f"{wanted.file}: {size:,} bytes, held to {held_to}")


def parse_source(source: Mapping[str, Any]) -> Source:
    """Check the description of a source.

    Raises
    ------
    UserError
        A key is unknown, a value is none of those expected, or ``file`` leads out of the folder of the sources.
    """
    told = json.dumps(source, ensure_ascii=False)
    if not isinstance(source, Mapping) or set(source) - set(KEYS):
        raise UserError(f"source {told}: expected a mapping with the keys {', '.join(KEYS)}")
    file = source.get("file")
    if not isinstance(file, str) or not file:
        raise UserError(f"source {told}: found file {file!r}, expected the file's place among the sources")
    if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts or "\\" in file or "\0" in file:
        raise UserError(
            f"source {told}: found file {file!r}, expected a relative path without '..'; use path for others"
        )
    url = source.get("url")
    urls = (url,) if isinstance(url, str) else tuple(url or ())
    for address in urls:
        if not isinstance(address, str):
            raise UserError(f"source {told}: found address {address!r}, expected text")
        check_address(address)
    if len(urls) > 1 and file.endswith(".gz"):
        raise UserError(
            f"source {told}: found a file named .gz that is joined from {len(urls)} addresses, which unpacks them; "
            "name it without .gz"
        )
    sha256 = source.get("sha256")
    if sha256 is not None and not (isinstance(sha256, str) and re.fullmatch(r"[0-9a-fA-F]{64}", sha256)):
        raise UserError(f"source {told}: found sha256 {sha256!r}, expected 64 hexadecimal digits or null")
    path = source.get("path")
    if path is not None and (not isinstance(path, str) or not path):
        raise UserError(f"source {told}: found path {path!r}, expected the name of a file or null")
    return Source(
        file=file,
        urls=urls,
        path=Path(path).expanduser() if path else None,
        sha256=sha256.lower() if sha256 else None,
        derived_from=source.get("derived_from"),
    )


def locate(source: Source, mirror: str | None) -> Origin:
    """Decide where a source is taken from; nothing is looked up on the network.

    Raises
    ------
    UserError
        There is no such place, or a local one lacks the file.
    """
    if mirror and (source.urls or source.path is None):
        remedy = f"the mirror {mirror} lacks {source.file}: put it there, or run without the mirror"
        if "://" in mirror:
            check_address(mirror)
            place = _local_or_address(f"{mirror.rstrip('/')}/{urllib.parse.quote(source.file)}")
        else:
            place = Path(mirror).expanduser() / source.file
        if isinstance(place, Path) and not place.is_file():
            raise UserError(f"{place}: there is no such file; {remedy}")
        return Origin("mirror", (place,), remedy)
    if source.path is not None:
        if not source.path.is_file():
            raise UserError(
                f"{source.path}: there is no such file, expected it as the path of {source.file}; correct it"
            )
        return Origin("path", (source.path,), "correct the path")
    if not source.urls:
        made = f", and was derived from {json.dumps(source.derived_from)}" if source.derived_from else ""
        raise UserError(f"{source.file}: has neither url nor path{made}; name a mirror that holds it")
    places = tuple(_local_or_address(url) for url in source.urls)
    for place in places:
        if isinstance(place, Path) and not place.is_file():
            raise UserError(f"{place}: there is no such file, expected it as the url of {source.file}; correct it")
    return Origin("url", places, f"check the address of {source.file} and the network, or name a mirror that holds it")


def _local_or_address(url: str) -> str | Path:
    return local_path(url) if check_address(url) == "file" else url


def _obtain(origin: Origin, part: Path, name: str, digest: str | None, patience: Patience) -> None:
    """Bring the one place of an origin to ``part``, and refuse at once what cannot be the file ``name``."""
    place = origin.places[0]
    if isinstance(place, Path):
        discard(part)
        try:
            shutil.copyfile(place, part)
        except OSError as error:
            discard(part)
            raise UserError(f"{place}: cannot be copied to {part} ({error.strerror}); {origin.remedy}") from None
    else:
        status(f"{name}: from {place}")
        resumed = download(place, part, digest is not None, origin.remedy, patience)
        if resumed and digest is not None and sha256_of(part) != digest:
            # The fault may lie in the seam, so the file gets one chance to come in one piece.
            status(f"{place}: the digest of the resumed transfer is wrong; beginning again")
            discard(part)
            download(place, part, True, origin.remedy, patience)
    _refuse_other_content(part, name, place, origin.remedy)


def _refuse_other_content(part: Path, name: str, place: str | Path, remedy: str) -> None:
    with part.open("rb") as handle:
        begin = handle.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    found = None
    is_page = begin.startswith(b"<") and any(tag in begin for tag in (b"<!doctype html", b"<html", b"<head", b"<body"))
    if is_page and not name.endswith((".html", ".htm")):
        found = "a web page (an error or log-in page?)"
    elif name.endswith((".gz", ".bgz")) and not is_gzip(part):
        found = "no gzip"
    if found:
        discard(part)
        raise UserError(f"{place}: found {found}, expected {name}; nothing of it was kept: {remedy}")


def _refuse_damaged(part: Path, origin: Origin) -> None:
    """Read a packed file to its end: without a digest, only its own check sums tell that it is whole."""
    if not is_gzip(part):
        return
    try:
        with open_binary(part) as handle:
            while handle.read(BLOCK):
                pass
    except GZIP_ERRORS as error:
        discard(part)
        raise UserError(
            f"{origin.places[0]}: found truncated or damaged gzip ({error}); nothing of it was kept: run again to "
            f"fetch it anew, or {origin.remedy}"
        ) from None


def _join(origin: Origin, output: Path, part: Path, patience: Patience) -> None:
    """Fetch every place of an origin and write their contents, unpacked, into ``part``.

    Each place has a part of its own that stays until all are there, so that a rerun fetches only what is missing.
    """
    parts = []
    for number, place in enumerate(origin.places, start=1):
        # Named by its address too: a list that changes must not take up another address's leavings.
        key = hashlib.sha256(str(place).encode()).hexdigest()[:8]
        parts.append(output.with_name(f"{output.name}.part{number}-{key}"))
        name = PurePosixPath(urllib.parse.urlsplit(str(place)).path).name
        _obtain(origin._replace(places=(place,)), parts[-1], name, None, patience)
    discard(part)
    with atomic(part) as temporary:
        _concatenate(parts, origin.places, temporary)
    for each in parts:
        discard(each)


def _concatenate(parts: Sequence[Path], places: Sequence[str | Path], output: Path) -> None:
    with writing(output), output.open("wb") as joined:
        for part, place in zip(parts, places, strict=True):
            last = b"\n"
            try:
                with open_binary(part) as handle:
                    while block := handle.read(BLOCK):
                        joined.write(block)
                        last = block[-1:]
            except GZIP_ERRORS as error:
                discard(part)
                raise UserError(
                    f"{place}: found truncated or damaged gzip ({error}); nothing of it was kept: "
                    "run again to fetch it anew"
                ) from None
            if last != b"\n":
                joined.write(b"\n")


def _hold_to_first(origin: Origin, output: Path, part: Path, digest: str) -> str:
    """Compare a download without a known digest with its first one, or note it as the first."""
    first_seen = output.with_name(f"{output.name}.first_seen")
    if first_seen.exists():
        try:
            found = json.loads(first_seen.read_text(encoding="utf-8"))
            check_format(found, "source", first_seen)
            expected, seen_at = found["sha256"], ", ".join(found["from"])
        except (ValueError, KeyError, AttributeError):
            raise UserError(f"{first_seen}: found no digest, expected JSON with sha256; remove the file") from None
        if digest != expected:
            discard(part)
            raise UserError(
                f"{output}: found sha256 {digest} in what came from {', '.join(map(str, origin.places))}, expected "
                f"{expected} as at its first download from {seen_at}; nothing of it was kept: remove "
                f"{first_seen} and run again if the change is meant, or pin sha256"
            )
    else:
        places = [masked(str(place)) for place in origin.places]
        write_json(first_seen, {**stamp("source"), "sha256": digest, "from": places, "bytes": part.stat().st_size})
    return "the sha256 of its first download"
