"""Checksums of what the steps write, looked at again whenever a step is given one of these files.

They lie in :data:`FOLDER` below the working directory, as Snakemake's own records do, under the paths of the files. A
file outside of the working directory has none. CRC-32 finds what disks, transfers and editors do to a file, at several
gigabytes a second; it is no protection against forgery.
"""

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(".lociflow/checksums")
SUFFIX = ".crc32"
BLOCK = 1 << 19
# What a record says: the CRC-32 and the number of bytes.
NOTED = re.compile(r"[0-9a-f]{8} \d{1,19}")


def checksum(path: Path) -> str:
    """Return the CRC-32 of a file's bytes, in hexadecimal, and how many they are."""
    value, size = 0, 0
    block = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as handle:
        while count := handle.readinto(block):
            value = zlib.crc32(block[:count], value)
            size += count
    return f"{value:08x} {size}"


def record_of(path: Path) -> Path | None:
    """Return where the checksum of a file is noted; None for one outside of the working directory, and for hidden ones.

    Files that are hidden, or lie in a hidden folder, are on their way to another name.
    """
    place = os.path.relpath(os.path.abspath(path))  # noqa: PTH100  a link in the way is part of the file's name
    return None if any(part.startswith(".") for part in Path(place).parts) else FOLDER / f"{place}{SUFFIX}"


def note(path: Path, found: str) -> None:
    """Note the checksum of a file that has just got its name."""
    record = record_of(path)
    if record is None:
        return
    record.parent.mkdir(parents=True, exist_ok=True)
    # In one piece, should the process be killed: half a checksum would accuse a whole file.
    part = record.with_name(f"{record.name}.{os.getpid()}")
    part.write_text(f"{found}\n", encoding="ascii")
    to_disk(part)
    part.replace(record)


def to_disk(path: Path) -> None:
    """Wait until a file, or a folder's names, are on the disk: a power cut may keep a name and lose what it named."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Not every file system knows this of folders.
        if not path.is_dir():
            raise
    finally:
        os.close(handle)


def note_folder(folder: Path) -> None:
    """Note the checksums of all files of a folder that has just got its name, and forget those of an earlier one."""
    record = record_of(folder)
    if record is None:
        return
    for old in (record.with_name(folder.name)).rglob(f"*{SUFFIX}"):
        old.unlink()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        note(path, checksum(path))


def forget(path: Path) -> None:
    """Forget the checksum of a file that is about to be replaced: until the next is noted, nothing is known of it."""
    _GIVEN.pop(path.absolute(), None)
    record = record_of(path)
    if record is not None:
        record.unlink(missing_ok=True)


def damage(path: Path) -> str | None:
    """Say how a file differs from what the step that made it wrote; None where it does not, or nothing is noted."""
    expected = noted(path)
    if expected is None or not path.is_file():
        return None
    if not NOTED.fullmatch(expected):
        return (
            f"{path}: its checksum in {record_of(path)} is damaged: found {expected[:40]!r}, expected a CRC-32 and a "
            "length; remove both files and run snakemake again, or the checksum alone if the file is known to be whole"
        )
    # A length is had without reading anything.
    size = path.stat().st_size
    found = checksum(path) if expected.endswith(f" {size}") else f"- {size}"
    if found == expected:
        watch(path, found)
        return None
    told = [f"{length} bytes (CRC-32 {value})" for value, length in (found.split(), expected.split())]
    return (
        f"{path}: found {told[0]}, expected {told[1]} as the step that made it wrote them; it is damaged or was "
        f"replaced: remove it and run snakemake again, or remove {record_of(path)} if the change is meant"
    )


# The files that this process was given, with what they were then: length, time of the last change, inode; checksum.
_GIVEN: dict[Path, tuple[tuple[int, int, int], str]] = {}


def watch(path: Path, found: str) -> None:
    """Remember a file that this process reads, and its checksum."""
    _GIVEN[path.absolute()] = (_state(path), found)


def changed() -> Iterator[Path]:
    """Yield the files of :func:`watch` that somebody has changed since, other than by writing them as a step does."""
    for path, (state, found) in _GIVEN.items():
        if not path.is_file() or (_state(path) != state and checksum(path) not in (found, noted(path))):
            yield path


def _state(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns, about.st_ino


def noted(path: Path) -> str | None:
    """Return the checksum that is noted of a file."""
    record = record_of(path)
    return record.read_text(encoding="latin-1").strip() if record is not None and record.is_file() else None


def noted_files() -> Iterator[Path]:
    """Yield every file whose checksum is noted, in the order of their names, whether it is still there or not."""
    for record in sorted(FOLDER.rglob(f"*{SUFFIX}")):
        yield record.relative_to(FOLDER).with_name(record.name.removesuffix(SUFFIX))


def named_files(value: Any, folders: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the files with a checksum that a value names, however deep: paths, and texts in it that are paths.

    Parameters
    ----------
    value
        An argument of a step: a path, text, or lists and mappings of them.
    folders
        In which names of the value may also lie.
    """
    if isinstance(value, Mapping):
        for part in value.values():
            yield from named_files(part, folders)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from named_files(part, folders)
    elif isinstance(value, Path) or (isinstance(value, str) and _may_be_a_name(value)):
        for path in (Path(value), *(folder / value for folder in folders)):
            record = record_of(path)
            if record is not None and record.is_file():
                yield path


def _may_be_a_name(text: str) -> bool:
    # The longest name that Linux takes, less the suffix: what is longer is no file, and asking would be an error.
    return bool(text) and "\0" not in text and all(len(part.encode()) < 240 for part in text.split("/"))
