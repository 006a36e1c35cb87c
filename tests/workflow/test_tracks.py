"""What a run asks for along the genome is made, and only that."""

import yaml

TRACKS = "results/simulated/holdout/deepbind_small/tracks/{}/seeds-1"


def test_regions_and_contigs_reach_the_steps(copy):
    (copy.folder / "loci.bed").write_text("chr1\t0\t100\n")
    regions = {"loci": {"path": "loci.bed"}, "whole": {"contigs": "all"}}
    run = {"run": "along", "models": ["deepbind_small"], "baselines": [], "tracks": {"regions": regions}}
    (copy.folder / "along.yaml").write_text(yaml.safe_dump(run))
    wanted = [f"{TRACKS.format(name)}/{file}" for name in regions for file in ("igv_session.xml", "hub.txt")]
    copy.run("--configfile", "along.yaml", "--", *wanted)
    # The stand-ins write their command lines.
    command = (copy.folder / TRACKS.format("loci") / "tracks.json").read_text()
    assert "--regions resources/sources/tracks/loci/loci.bed --config" in command
    command = (copy.folder / TRACKS.format("whole") / "tracks.json").read_text()
    assert "--regions" not in command
    assert '"contigs":"all"' in command.replace(" ", "")
    session = (copy.folder / TRACKS.format("loci") / "igv_session.xml").read_text()
    assert f"--attributions {TRACKS.format('loci')}/attributions " in session
    assert "resources/sources/simulated/simulated/peaks.bed" in session
    assert copy.jobs("--configfile", "along.yaml", "--", *wanted) == {}


def test_a_mistake_ends_the_run_with_its_sentence(copy):
    run = {"run": "along", "tracks": {"regions": {"loci": {"path": "no.bed"}}}}
    (copy.folder / "wrong.yaml").write_text(yaml.safe_dump(run))
    ran = copy.snakemake("--dry-run", "--configfile", "wrong.yaml")
    assert ran.returncode != 0
    assert "error: tracks.regions.loci: no.bed: no such file" in ran.stderr
    assert "Traceback" not in ran.stderr
