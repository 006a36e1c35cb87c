"""What a run may want predicted along the genome, and where it lies."""

import pytest
from groups import DATASET, MODEL, NO_SOURCE, RUN, SCHEMAS, changed, refusal, write

from lociflow.config import Configuration, check_schema
from lociflow.plan import Plan
from lociflow.sources import dataset_files
from lociflow.track_requests import check_tracks, file_sources, files, observed, requests, settings

SEQUENCES = {
    **{key: value for key, value in DATASET.items() if key != "genome"},
    "sequences": {"table": [{"path": "a.tsv"}]},
    "targets": {"columns": ["A"]},
    "windows": {"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 30},
}
PINNED = changed(DATASET, genome__contig_md5={"c1": "0" * 32, "c2": "1" * 32})


def plan(home, regions, run=None, **more):
    write(home, "dataset", "pinned", PINNED)
    write(home, "dataset", "reads", SEQUENCES)
    write(home, "model", "controlled", changed(MODEL, views=["sequence", "control"]))
    return Plan({**RUN, **(run or {}), "tracks": {"regions": regions, **more}}, Configuration(home, SCHEMAS))


def test_every_model_of_every_data_set_is_asked(home):
    found = plan(home, {"a": {"contigs": ["c1"]}, "b": {"path": "b.bed"}}, {"models": ["net", "net+long"]})
    assert list(requests(found)) == [
        ("toy", "net", "a"), ("toy", "net+long", "a"), ("toy", "net", "b"), ("toy", "net+long", "b"),
    ]  # fmt: skip


def test_regions_may_name_data_sets_and_tracks_models(home):
    run = {"datasets": ["toy", "pinned"], "models": ["net", "net+long"], "seeds": [3, 1]}
    found = plan(home, {"a": {"contigs": ["c1"], "datasets": ["pinned"]}}, run, models=["net+long"])
    check_tracks(found)
    assert files(found) == [
        f"results/pinned/holdout/net+long/tracks/a/seeds-3-1/{file}" for file in ("igv_session.xml", "hub.txt")
    ]


def test_what_the_report_is_told(home):
    found = plan(home, {"a": {"contigs": ["c1"]}}, {"seeds": [3, 1], "interpretation": None})
    assert found.manifest()["tracks"] == [
        {
            "dataset": "toy", "model": "net", "regions": "a", "split": "holdout", "explained": False,
            "folder": "results/toy/holdout/net/tracks/a/seeds-3-1",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("asked", [{}, {"tracks": None}])
def test_without_tracks_nothing_is_made(home, asked):
    found = Plan({**RUN, **asked}, Configuration(home, SCHEMAS))
    check_tracks(found)
    assert files(found) == []


def test_the_settings_of_a_step(home):
    found = plan(home, {"a": {"contigs": "all"}, "b": {"path": "b.bed"}}, step=5)
    whole = {"bin": 10, "step": 5, "contigs": "all", "contig_aliases": {"1": "c1"}}
    assert settings(found, "toy", "a", {"1": "c1"}) == whole
    assert settings(found, "toy", "b", {}) == {**whole, "contigs": None, "contig_aliases": {}}


@pytest.mark.parametrize(
    ("regions", "more", "told"),
    [
        (
            {"path": "b.bed", "contigs": "all"},
            {},
            "tracks.regions.a: found both a file and contigs, expected path, url",
        ),
        ({}, {}, "tracks.regions.a: found neither a file nor contigs, expected path, url or file"),
        ({"contigs": "all", "datasets": ["toi"]}, {}, "tracks.regions.a.datasets: toi is none of this run's data sets"),
        (
            {"contigs": "all", "datasets": ["reads"]},
            {},
            "the data set reads is of sequences without a genome, expected",
        ),
        ({"contigs": ["c9"], "datasets": ["pinned"]}, {}, "a.contigs: the genome of pinned has no contig c9"),
        (
            {"contigs": "all", "datasets": ["toy"]},
            {"models": ["nett"]},
            "tracks.models: nett is none of this run's mod",
        ),
        (
            {"contigs": "all", "datasets": ["toy"]},
            {"models": ["controlled"]},
            "tracks.models: controlled reads sequence, control, and a control is only known on the bins of toy",
        ),
    ],
)
def test_what_cannot_be_predicted_is_refused(home, regions, more, told):
    run = {"datasets": ["toy", "pinned", "reads"], "models": ["net", "controlled"]}
    assert told in refusal(check_tracks, plan(home, {"a": regions}, run, **more))


def test_a_data_set_of_sequences_is_told_how_to_be_left_out(home):
    told = refusal(check_tracks, plan(home, {"a": {"contigs": "all"}}, {"datasets": ["toy", "reads"]}))
    assert told.endswith("name those in datasets, or set tracks to null")


def test_the_files_of_regions_are_filled_in_like_any_source():
    regions = {
        "a": {"contigs": "all"},
        "b": {"path": "/b.bed", "datasets": ["toy"]},
        "c": {"url": "https://x.org/c.bed"},
    }
    assert file_sources({"tracks": {"regions": regions}}) == {
        "b": {**NO_SOURCE, "path": "/b.bed", "file": "tracks/b/b.bed"},
        "c": {**NO_SOURCE, "url": "https://x.org/c.bed", "file": "tracks/c/c.bed"},
    }
    assert file_sources({"tracks": None}) == {}


def test_own_peaks_and_signals_are_shown_by_name(home):
    source = {**NO_SOURCE, "file": "toy/A/A.bed"}
    groups = Configuration(home, SCHEMAS)
    assert observed(dataset_files(groups.dataset("toy"), groups)["targets"]) == [
        {"name": name, "file": f"resources/sources/toy/{name}/{name}.bed"} for name in ("A", "B")
    ]
    assert observed({"named": source}) == [{"name": "targets", "file": "resources/sources/toy/A/A.bed"}]
    pair = {"signal": {"tracks": {"R": {"plus": {**source, "file": "p.bw"}, "minus": {**source, "file": "m.bw"}}}}}
    assert observed(pair) == [{"name": "R", "file": f"resources/sources/{file}"} for file in ("p.bw", "m.bw")]


@pytest.mark.parametrize(
    ("tracks", "told"),
    [
        ({}, "'regions' is a required property"),
        ({"regions": {}}, "tracks.regions"),
        ({"regions": {"a b": {"contigs": "all"}}}, "a b"),
        ({"regions": {"a": {"contigs": "some"}}}, "tracks.regions.a.contigs"),
        ({"regions": {"a": {"contig": ["c1"]}}}, "unknown key tracks.regions.a.contig; did you mean contigs?"),
        ({"regions": {"a": {"contigs": "all"}}, "step": 0}, "tracks.step: 0 is less than the minimum of 1"),
        ({"regions": {"a": {"contigs": "all"}}, "email": "me"}, "tracks.email: 'me' does not match"),
    ],
)
def test_the_schema_refuses_by_key(tracks, told):
    schema = SCHEMAS / "run.schema.yaml"
    assert told in refusal(check_schema, {**RUN, "tracks": tracks}, schema, "run")
    check_schema({**RUN, "tracks": {"regions": {"a": {"contigs": "all"}}}}, schema, "run")
