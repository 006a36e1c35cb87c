from pathlib import Path

import pytest

from lociflow.command import UserError
from lociflow.formats import VERSIONS, check_format, stamp


@pytest.mark.parametrize("kind", VERSIONS)
def test_a_file_with_the_present_stamp_is_read(kind):
    check_format({**stamp(kind), "more": 1}, kind, Path("a.json"))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"format": "windows", "version": VERSIONS["windows"] + 1}, f"found windows version {VERSIONS['windows'] + 1}"),
        ({"format": "metrics", "version": VERSIONS["metrics"]}, f"found metrics version {VERSIONS['metrics']}"),
        ({"format": "windows"}, "found windows version none"),
        ({"version": VERSIONS["windows"]}, f"found no format version {VERSIONS['windows']}"),
        ({}, "found no format version none"),
    ],
)
def test_another_kind_or_version_is_refused_by_name_with_the_remedy(found, told):
    with pytest.raises(UserError) as caught:
        check_format(found, "windows", Path("results/windows.json"))
    assert str(caught.value) == (
        f"results/windows.json: {told}, expected windows version {VERSIONS['windows']}; "
        "remove the file and run snakemake again to rebuild it"
    )
