"""A run that breaks off halfway: what was there before must not pass for what was asked for."""

import pytest

RUN = "run: small\nmodels: [deepbind_small]\ninterpretation: null\nbaselines: [prevalence]\n"
FAIL = "import os\nimport signal\nif how := os.environ.get('BREAK'):\n    exec(how)\n"


@pytest.mark.parametrize(
    "how", ["raise SystemExit(1)", "os.kill(os.getpid(), signal.SIGKILL)"], ids=["a step fails", "a step is killed"]
)
def test_what_follows_from_a_step_that_broke_off_is_made_again(copy, how):
    (copy.folder / "small.yaml").write_text(RUN)
    script = copy.folder / "scripts/train.py"
    script.write_text(script.read_text().replace("import sys\n", FAIL + "import sys\n", 1))
    copy.run("--configfile", "small.yaml")
    assert copy.jobs("--configfile", "small.yaml") == {}
    copy.edit("config/model/deepbind_small.yaml", "hidden: 128", "hidden: 64")
    assert copy.snakemake("--configfile", "small.yaml", BREAK=how).returncode != 0
    report = copy.folder / "results/runs/small/report.html"
    assert report.exists()
    jobs = copy.jobs("--configfile", "small.yaml")
    assert {name: jobs[name] for name in ("train", "predict", "report")} == {"train": 1, "predict": 1, "report": 1}
    copy.run("--configfile", "small.yaml")
    assert copy.jobs("--configfile", "small.yaml") == {}
