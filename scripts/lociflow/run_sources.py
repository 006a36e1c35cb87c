"""All sources that a run fetches: those of its data sets, of its interpretation, and those that it names itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from lociflow import track_requests, variant_effects
from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.masking import masked
from lociflow.sources import all_sources, claim


def every_source(run: Mapping[str, Any], groups: Configuration, datasets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return every source to fetch for a run, by its ``file``.

    Parameters
    ----------
    run, groups
        The run, and where its data sets are defined.
    datasets
        Names; more than the run's own where trainings start from others' weights.

    Raises
    ------
    UserError
        A source is wrong or not there, or two claim one ``file`` with different addresses or digests.
    """
    found = all_sources(groups, datasets, run.get("interpretation"))
    named = {
        **{f"variant_effects.files.{name}": source for name, source in variant_effects.file_sources(run).items()},
        **{f"tracks.regions.{name}": source for name, source in track_requests.file_sources(run).items()},
    }
    for where, source in named.items():
        claim(found, where, source)
    return found


def secret_addresses(files: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the addresses of sources that hold a token, by what :func:`lociflow.masking.masked` makes of them.

    Parameters
    ----------
    files
        Sources by their ``file``.

    Raises
    ------
    UserError
        Two addresses differ in nothing but what is masked, so that one would be taken for the other.
    """
    found: dict[str, str] = {}
    for file, source in files.items():
        for address in [source["url"]] if isinstance(source["url"], str) else source["url"] or []:
            shown = masked(address)
            if shown != address and found.setdefault(shown, address) != address:
                raise UserError(
                    f"source {file}: {shown}: found another source whose address differs in its token alone, expected "
                    "one address for each file; fetch one of them by hand and name its path"
                )
    return found
