"""All sources of a run together."""

import pytest
from groups import NO_SOURCE, RUN, SCHEMAS, refusal

from lociflow.config import Configuration
from lociflow.run_sources import every_source, secret_addresses
from lociflow.sources import all_sources

VCF = {"url": "https://a.org/calls.vcf"}


@pytest.fixture
def groups(home):
    return Configuration(home, SCHEMAS)


def test_files_that_a_run_names_stand_beside_those_of_its_data_sets(groups):
    own = all_sources(groups, ["toy"])
    run = {
        **RUN,
        "variant_effects": {"files": {"calls": VCF}},
        "tracks": {"regions": {"peaks": {"file": next(iter(own))}, "whole": {"contigs": "all"}}},
    }
    place = "variants/calls/calls.vcf"
    assert every_source(run, groups, ["toy"]) == {**own, place: {**NO_SOURCE, **VCF, "file": place}}


@pytest.mark.parametrize("key", ["variant_effects", "tracks"])
def test_a_file_that_is_missing_or_claimed_twice_is_refused(groups, tmp_path, key):
    inside = {"variant_effects": "files", "tracks": "regions"}[key]
    missing = {**RUN, key: {inside: {"a": {"path": str(tmp_path / "a.bed")}}}}
    assert refusal(every_source, missing, groups, ["toy"]).startswith(
        f"{key}.{inside}.a: {tmp_path}/a.bed: no such file"
    )
    taken = next(iter(all_sources(groups, ["toy"])))
    other = {**RUN, key: {inside: {"a": {"url": "https://b.org/a", "file": taken}}}}
    assert f"{key}.{inside}.a: source {taken} is also named by another source" in refusal(
        every_source, other, groups, ["toy"]
    )


def test_addresses_that_hold_a_token_are_known_by_their_masked_form():
    files = {
        "a": {**NO_SOURCE, "url": ["https://a.org/1?token=x", "https://a.org/2"], "derived_from": "https://b/?token=y"},
        "b": {**NO_SOURCE, "url": "https://a.org/3?sig=z"},
        "c": {**NO_SOURCE, "path": "/c"},
    }
    assert secret_addresses(files) == {
        "https://a.org/1?token=***": "https://a.org/1?token=x",
        "https://a.org/3?sig=***": "https://a.org/3?sig=z",
    }
    files["c"]["url"] = "https://a.org/3?sig=y"
    told = refusal(secret_addresses, files)
    assert told.startswith("source c: https://a.org/3?sig=***: found another source whose address differs in its token")
