"""Variants and regions that a run names, as jobs of the DAG."""

import pytest
import yaml

VARIANTS = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def write_run(copy, **keys):
    (copy.folder / "calls.vcf").write_text(VARIANTS)
    effects = {"files": {"calls": {"path": "calls.vcf"}}, "saturation": {"site": "chr1:100-200"}, **keys}
    whole = {
        "run": "toy", "models": ["deepsea_small", "deepbind_small"], "seeds": [1, 2], "interpretation": None,
        "baselines": [], "variant_effects": effects,
    }  # fmt: skip
    (copy.folder / "toy.yaml").write_text(yaml.safe_dump(whole))


def jobs(copy):
    return copy.jobs("--configfile", "toy.yaml")


def test_each_model_scores_each_file_and_region_once_with_all_seeds(copy):
    write_run(copy)
    counts = jobs(copy)
    assert counts["train"] == 4
    assert [counts[rule] for rule in ("score_background", "score_variants", "saturate_region")] == [2, 2, 2]
    write_run(copy, models=["deepsea_small"])
    counts = jobs(copy)
    assert [counts[rule] for rule in ("score_background", "score_variants", "saturate_region")] == [1, 1, 1]


@pytest.mark.slow
def test_other_shifts_score_again_and_train_nothing(copy):
    write_run(copy)
    copy.run("--configfile", "toy.yaml")
    assert (copy.folder / "results/simulated/holdout/deepsea_small/effects/seeds-1-2/saturation/site.tsv").exists()
    assert not jobs(copy)
    write_run(copy, shifts=[-1, 1])
    counts = jobs(copy)
    # The report shows the configuration of the run and is written again.
    assert (counts["train"], counts["predict"], counts["report"]) == (0, 0, 1)
    assert [counts[rule] for rule in ("score_background", "score_variants", "saturate_region")] == [2, 2, 2]


@pytest.mark.slow
def test_runs_with_other_seeds_keep_their_effects_apart(copy):
    write_run(copy)
    copy.run("--configfile", "toy.yaml")
    toy = (copy.folder / "toy.yaml").read_text()
    (copy.folder / "other.yaml").write_text(yaml.safe_dump({**yaml.safe_load(toy), "run": "other", "seeds": [2]}))
    copy.run("--configfile", "other.yaml")
    effects = copy.folder / "results/simulated/holdout/deepsea_small/effects"
    for seeds in ((1, 2), (2,)):
        written = (effects / f"seeds-{'-'.join(map(str, seeds))}/calls.vcf.gz").read_text()
        assert [f"seed{seed}/model.ckpt" in written for seed in (1, 2)] == [seed in seeds for seed in (1, 2)]
    assert not jobs(copy)


def test_a_file_that_is_missing_ends_the_run_before_its_first_job(copy):
    write_run(copy, files={"calls": {"path": "nowhere.vcf"}})
    ran = copy.snakemake("--dry-run", "--configfile", "toy.yaml")
    assert ran.returncode == 1
    assert "variant_effects.files.calls: nowhere.vcf: no such file" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
