"""Snakemake plans the runs that come with lociflow."""

import pytest
from stand_ins import HOME

# Of each recipe that needs the network the files that are fetched and the networks that are trained, counted by hand.
RECIPES = {
    # genome, peaks, blacklist; 4 models with 3 seeds
    "encode_ctcf": (3, 12),
    # genome, blacklist, 24 and 12 targets
    "encode_multitask": (26, 3),
    "encode_dnase": (14, 2),
    # one genome, 4 tables of each data set; 3 data sets in 3 splits, 3 models with 3 seeds
    "genomic_benchmarks": (13, 81),
}
BENCHMARKS = {"nfe2": 24, "uci_promoters": 212, "uci_splice": 44, "ctcf_pu1": 4, "dream_promoters": 9, "yeast_atac": 4}
OTHERS = [
    "autoencoders", "ctcf_pu1_motifs", "experiments", "explanations", "profiles", "quickstart", "splice_sites",
    "yeast_architectures", "yeast_binding", "yeast_chipexo", "yeast_motifs", "yeast_pretraining", "yeast_tracks",
    "yeast_variants", "zoo",
]  # fmt: skip


def planned(copy, run):
    return copy.jobs("--configfile", f"config/runs/{run}.yaml")


@pytest.mark.parametrize("run", RECIPES)
def test_a_recipe_that_starts_from_downloads(copy, run):
    counts = planned(copy, run)
    assert (counts["fetch"], counts["train"]) == RECIPES[run]
    assert counts["report"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("run", BENCHMARKS)
def test_a_small_run_on_real_data(copy, run):
    assert planned(copy, run)["train"] == BENCHMARKS[run]


@pytest.mark.slow
@pytest.mark.parametrize("run", OTHERS)
def test_another_run(copy, run):
    assert planned(copy, run)["report"] == 1


def test_every_run_is_here(copy):
    here = {path.stem for path in (copy.folder / "config/runs").glob("*.yaml")}
    assert here == {*RECIPES, *BENCHMARKS, *OTHERS}


def test_make_runs_the_small_ones_on_real_data():
    # What `make benchmarks` runs one after the other.
    (line,) = [line for line in (HOME / "Makefile").read_text().splitlines() if line.startswith("BENCHMARKS")]
    assert sorted(line.partition(":=")[2].split()) == sorted(BENCHMARKS)
