"""What a run asks about variants, checked before a job exists."""

from pathlib import Path

import pytest
import yaml
from groups import DATASET, DIGEST, MODEL, NO_SOURCE, RUN, SCHEMAS, changed, write

from lociflow import variant_effects
from lociflow.command import UserError
from lociflow.config import Configuration
from lociflow.plan import Plan
from lociflow.run import check_run

PLACE = "results/toy/holdout/net/effects/seeds-1"
CALLS = {"url": "https://a.org/calls.vcf.gz"}


def groups_of(home) -> Configuration:
    return Configuration(home, SCHEMAS)


def check(home, **keys) -> None:
    run = {**RUN, "variant_effects": keys}
    check_run(run, groups_of(home))
    variant_effects.check(run, groups_of(home))


def refused(home, **keys) -> str:
    with pytest.raises(UserError) as error:
        check(home, **keys)
    return str(error.value)


def test_a_run_without_variants_makes_nothing_of_them(home):
    for run in (RUN, {**RUN, "variant_effects": None}):
        variant_effects.check(run, groups_of(home))
        assert Plan(run, groups_of(home)).effect_files() == []
        assert variant_effects.file_sources(run) == {}


def test_what_is_made_of_files_and_regions(home):
    run = {**RUN, "variant_effects": {"files": {"calls": CALLS}, "saturation": {"site": "c1:5-9"}}}
    assert Plan(run, groups_of(home)).effect_files() == [
        *(f"{PLACE}/calls.{suffix}" for suffix in ("vcf.gz", "vcf.gz.csi", "tsv.gz", "tsv.gz.csi", "json")),
        f"{PLACE}/saturation/site.tsv",
        f"{PLACE}/saturation/site",
    ]


def test_what_the_report_is_told(home):
    run = {**RUN, "variant_effects": {"files": {"calls": CALLS}, "saturation": {"site": "c1:5-9"}}}
    assert Plan(run, groups_of(home)).manifest()["variant_effects"] == [
        {
            "dataset": "toy", "split": "holdout", "model": "net", "seeds": [1], "folder": PLACE, "files": ["calls"],
            "saturation": {"site": "c1:5-9"},
        }
    ]  # fmt: skip
    assert Plan(RUN, groups_of(home)).manifest()["variant_effects"] == []


def test_files_are_sources_with_places_of_their_own():
    known = {**CALLS, "sha256": DIGEST, "file": "known.vcf.gz"}
    run = {**RUN, "variant_effects": {"files": {"calls": CALLS}, "background": {"variants": known}}}
    assert variant_effects.file_sources(run) == {
        "calls": {**NO_SOURCE, **CALLS, "file": "variants/calls/calls.vcf.gz"},
        "background": {**NO_SOURCE, **known},
    }


def test_what_the_steps_are_told(home):
    run = {
        **RUN,
        "variant_effects": {"shifts": [-1, 1], "background": {"snvs": 5, "most": 9}, "reference_mismatch": "skip"},
    }
    assert variant_effects.settings(run) == {"shifts": [-1, 1], "snvs": 5, "most": 9, "reference_mismatch": "skip"}
    assert variant_effects.settings({**RUN, "variant_effects": {"files": {"calls": CALLS}}}) == {}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"files": {"calls": CALLS}, "models": ["nett"]},
            "models: nett is none of this run's models; did you mean net?",
        ),
        ({"files": {"calls": CALLS}, "datasets": ["toi"]}, "datasets: toi is none of this run's datasets"),
        ({"saturation": {"site": "c1:9-5"}}, "found 'c1:9-5', expected contig:start-end"),
        ({"shifts": [0]}, "variant_effects"),
        ({"files": {"background": CALLS}}, "variant_effects.files"),
        ({"files": {"a/b": CALLS}}, "variant_effects.files"),
        ({"file": {"calls": CALLS}}, "unknown key variant_effects.file; did you mean files?"),
        ({"files": {"calls": CALLS}, "reference_mismatch": "drop"}, "reference_mismatch"),
    ],
)
def test_a_mistake_is_told(home, keys, told):
    assert told in refused(home, **keys)


def test_models_of_more_than_the_sequence_are_refused(home):
    write(home, "model", "net", changed(MODEL, views=["sequence", "mask"]))
    assert "net reads sequence, mask, expected models of the sequence alone" in refused(home, files={"calls": CALLS})


def test_data_sets_without_a_genome_are_refused(home):
    sequences = changed(
        {
            key: value
            for key, value in DATASET.items()
            if key not in ("genome", "targets", "windows", "labels", "split")
        },
        sequences={"fasta": [{"url": "https://a.org/a.fa"}]},
        targets={"columns": {"A": "a"}},
        windows={"_target_": "lociflow.genome.whole_sequences.whole_sequences", "length": 30},
        labels={"kind": "binary"},
        split={"name": "random", "_target_": "lociflow.genome.splits.random"},
    )
    write(home, "dataset", "toy", sequences)
    run = {**RUN, "variant_effects": {"files": {"calls": CALLS}}}
    with pytest.raises(UserError, match="toy has no genome on which variants could lie"):
        variant_effects.check(run, groups_of(home))


def test_the_shipped_run_names_the_files_that_a_data_set_names_too():
    folder = Path(__file__).parents[2] / "config"
    run = yaml.safe_load((folder / "runs/yeast_variants.yaml").read_text())
    named = yaml.safe_load((folder / "dataset/yeast_promoters.yaml").read_text())["variants"]
    assert list(run["variant_effects"]["files"].values()) == named
