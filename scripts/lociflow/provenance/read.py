"""Read the crate of a run, wherever it has been copied to."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from rocrate.rocrate import ROCrate

from lociflow import layout
from lociflow.command import UserError
from lociflow.provenance.configuration import RUN_FILE
from lociflow.provenance.crate import CODE, COMMIT, CONTENT, PROFILES

NAME = Path(layout.CRATE).name


class CrateFile(NamedTuple):
    """What a crate says of a file."""

    sha256: str
    content: str | None
    """Digest of what it says; None where it is not compared."""


class CrateSource(NamedTuple):
    """What a crate says of a source."""

    file: str
    """Its place under resources/sources."""
    sha256: str
    via: str
    """``url``, ``mirror``, ``path`` or ``simulation``."""
    places: tuple[str, ...]
    """Addresses or paths, without passwords and tokens."""


class ReadCrate(NamedTuple):
    """What a crate says of a run."""

    folder: Path
    """Where it lies; the names of its files are relative to this folder."""
    run: str
    files: dict[str, CrateFile]
    """By name."""
    sources: dict[str, CrateSource]
    """By ``file``."""
    properties: dict[str, Any]
    """Of the run: commit, digests, machine."""

    @property
    def commit(self) -> str:
        """The commit, with ``-dirty`` after it where files differed, or ``unknown``."""
        return str(self.properties.get(COMMIT, "unknown"))

    @property
    def code(self) -> str:
        """The digest of lociflow's own files."""
        return str(self.properties.get(CODE, ""))

    @property
    def configuration(self) -> Path:
        """The folder with the configuration of the run."""
        return self.folder / next(Path(name).parent for name in self.files if Path(name).name == RUN_FILE)


def read_crate(path: Path) -> ReadCrate:
    """Read a crate.

    Parameters
    ----------
    path
        ``ro-crate-metadata.json`` or its folder.

    Raises
    ------
    UserError
        There is no crate, or it is not one of a run of lociflow.
    """
    folder = path if path.is_dir() else path.parent
    try:
        crate = ROCrate(folder)
        (action,) = (entity for entity in crate.get_by_type("CreateAction") if entity["instrument"] == crate.mainEntity)
        values = {
            entity["name"]: entity["value"] for entity in _listed(action["object"]) if "PropertyValue" in entity.type
        }
        found = ReadCrate(
            folder,
            str(values["run"]),
            {unquote(entity.id): _file(entity) for entity in crate.data_entities},
            {source.file: source for source in map(_source, _listed(action["object"])) if source},
            {entity["name"]: entity["value"] for entity in _listed(action["additionalProperty"])},
        )
        _ = found.configuration
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise UserError(
            f"{folder / NAME}: found no crate of a run of lociflow ({error or type(error).__name__}), expected one "
            f"that conforms to {', '.join(PROFILES)}; name a folder results/runs/NAME"
        ) from None
    return found


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _file(entity: Any) -> CrateFile:
    identifier = str(entity.get("identifier") or "")
    content = identifier.removeprefix(CONTENT) if identifier.startswith(CONTENT) else None
    return CrateFile(entity["sha256"], content)


def _source(entity: Any) -> CrateSource | None:
    if not entity.id.startswith("#source/"):
        return None
    return CrateSource(
        entity["name"],
        entity["sha256"],
        entity["disambiguatingDescription"],
        tuple(entity.get("contentUrl") or ()),
    )
