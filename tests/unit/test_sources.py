"""Where the files of a data set come from and lie."""

import pytest
from groups import DATASET, DIGEST, INTERPRETATION, NO_SOURCE, RUN, SCHEMAS, changed, refusal, with_genome, write

from lociflow.config import Configuration
from lociflow.plan import Plan
from lociflow.sources import (
    all_sources,
    attention_source,
    dataset_files,
    files_only,
    is_simulated,
    motif_library,
    sources_in,
    store_name,
    stores,
)


def genome_source(config):
    return dataset_files({**config, "targets": {"columns": []}}, None)["genome"]["source"][0]


def target_sources(config, configuration):
    return dataset_files({"genome": {"name": "g", "source": {"path": "g.fa"}}, **config}, configuration)["targets"]


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ({"url": "https://a.org/x/toy1.fa.gz?raw=true#top"}, "genomes/toy1/toy1.fa.gz"),
        ({"url": "https://a.org/x/folder/"}, "genomes/toy1/folder"),
        ({"url": "https://a.org/x/my%20toy,1.fa"}, "genomes/toy1/my_20toy_1.fa"),
        ({"path": "/data/genomes/toy1.fa"}, "genomes/toy1/toy1.fa"),
        ({"path": "toy1.fa", "url": None}, "genomes/toy1/toy1.fa"),
        ({"url": "https://a.org/toy1.fa", "file": "shared/toy.fa"}, "shared/toy.fa"),
        ({"url": ["https://a.org/1.fa", "https://a.org/2.fa"], "file": "shared/toy.fa"}, "shared/toy.fa"),
    ],
)
def test_a_genomes_source_lies_under_the_genomes_name_unless_it_says_otherwise(source, file):
    assert genome_source(with_genome(source)) == {**NO_SOURCE, **source, "file": file}


def test_a_path_may_begin_with_the_users_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert genome_source(with_genome({"path": "~/toy1.fa"}))["path"] == "/home/me/toy1.fa"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"url": ["https://a.org/1.fa", "https://a.org/2.fa"]}, "a source with several addresses needs a file"),
        ({"sha256": DIGEST}, "found a source without url, path and file; give it a url or a path"),
        ({"path": "a.fa", "file": "../a.fa"}, "found the file '../a.fa' of a source, expected a relative path"),
        ({"path": "a.fa", "file": "a/../../b.fa"}, "found the file 'a/../../b.fa' of a source"),
        ({"path": "a.fa", "file": "/a.fa"}, "found the file '/a.fa' of a source"),
        ({"path": "a.fa", "file": "a; rm b"}, "found the file 'a; rm b' of a source"),
        ({"path": "a.fa", "file": "simulated/toy/a.fa"}, "simulated/toy/a.fa is kept for simulated genomes"),
    ],
)
def test_a_source_without_a_proper_place_is_refused(source, told):
    assert refusal(genome_source, with_genome(source)).startswith(f"dataset toy: {told}")


def test_targets_come_from_files_from_one_named_file_or_from_a_sheet(home):
    configuration = Configuration(home, SCHEMAS)
    url = "https://a.org/peaks.bed"
    files = {"name": "toy", "targets": {"files": {"A": {"url": url}, "B c": {"url": url}}}}
    assert target_sources(files, configuration)["files"] == {
        "A": {**NO_SOURCE, "url": url, "file": "toy/A/peaks.bed"},
        "B c": {**NO_SOURCE, "url": url, "file": "toy/B_c/peaks.bed"},
    }
    named = {"name": "toy", "targets": {"named": {"path": "peaks.bed"}}}
    assert target_sources(named, configuration) == {
        "named": {**NO_SOURCE, "path": "peaks.bed", "file": "toy/peaks.bed"}
    }
    (home / "dataset" / "toy.tsv").write_text(f"target\turl\tsha256\tfile\nA\t{url}\t{DIGEST}\tpeaks/A.bed\n")
    sheet = {"name": "toy", "targets": {"sheet": "toy.tsv"}}
    source = {**NO_SOURCE, "url": url, "sha256": DIGEST, "file": "peaks/A.bed"}
    assert target_sources(sheet, configuration) == {"files": {"A": source}}


def test_a_sheet_lies_beside_the_data_set_or_beside_the_one_that_it_takes_over(home, tmp_path):
    own = tmp_path / "own"
    write(home, "dataset", "toy", changed(DATASET, targets={"sheet": "toy.tsv"}))
    path = write(own, "dataset", "mine", {"defaults": ["toy", "_self_"]})
    configuration = Configuration(home, SCHEMAS, [own])
    assert refusal(configuration.beside, "mine", "toy.tsv").startswith(f"{path}: toy.tsv: no such file")
    (home / "dataset" / "toy.tsv").touch()
    assert configuration.beside("mine", "toy.tsv") == home / "dataset" / "toy.tsv"
    (own / "dataset" / "toy.tsv").touch()
    assert configuration.beside("mine", "toy.tsv") == own / "dataset" / "toy.tsv"


def test_signal_annotation_variants_and_blacklist_are_sources_too():
    config = {
        "name": "toy",
        "genome": {"name": "toy1", "source": [{"path": "a.fa"}, {"path": "b.fa"}]},
        "targets": {
            "signal": {
                "tracks": {"x": {"path": "x.bw"}, "y": {"plus": {"path": "p.bw"}, "minus": {"path": "m.bw"}}},
                "control": {"c": {"path": "c.bam"}},
            }
        },
        "blacklist": {"path": "black.bed"},
        "variants": [{"path": "v.vcf"}],
    }
    found = dataset_files(config, None)
    assert [source["file"] for source in sources_in(found)] == [
        "genomes/toy1/a.fa", "genomes/toy1/b.fa", "toy/x/x.bw", "toy/y/plus/p.bw", "toy/y/minus/m.bw", "toy/c/c.bam",
        "toy/black.bed", "toy/variants/v.vcf",
    ]  # fmt: skip
    assert files_only(found["targets"])["signal"]["tracks"] == {
        "x": {"file": "toy/x/x.bw"},
        "y": {"plus": {"file": "toy/y/plus/p.bw"}, "minus": {"file": "toy/y/minus/m.bw"}},
    }
    annotated = {
        **config,
        "targets": {"annotation": {"source": {"path": "g.gtf"}, "features": {"e": {"kind": "exon"}}}},
    }
    assert files_only(dataset_files(annotated, None)["targets"])["annotation"] == {
        "source": {"file": "toy/g.gtf"}, "features": {"e": {"kind": "exon"}},
    }  # fmt: skip


def test_labelled_sequences_keep_what_is_said_beside_their_source():
    sequences = {"fasta": [{"path": "a.fa", "class": "yes", "split": "train"}, {"path": "b.fa", "class": "no"}]}
    config = {"name": "toy", "sequences": sequences, "targets": {"columns": ["class"]}}
    assert files_only(dataset_files(config, None)["sequences"]) == {
        "fasta": [{"file": "toy/a.fa", "class": "yes", "split": "train"}, {"file": "toy/b.fa", "class": "no"}]
    }
    assert store_name(config) == "toy"


def test_every_source_of_a_run_is_listed_once(home):
    shared = {"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa", "sha256": DIGEST}
    for name in ("toy", "other"):
        path = f"https://a.org/{name}.bed"
        content = changed(DATASET, genome__source=shared, targets={"named": {"url": path}})
        write(home, "dataset", name, {**content, "blacklist": {"url": "https://a.org/black.bed"}})
    found = all_sources(Configuration(home, SCHEMAS), ["toy", "other"])
    assert list(found) == [
        "shared/toy1.fa",
        "toy/toy.bed",
        "toy/black.bed",
        "other/other.bed",
        "other/black.bed",
    ]


def test_two_sources_that_claim_one_file_are_refused(home):
    files = {name: {"url": f"https://a.org/{name}/peaks.bed", "file": "peaks.bed"} for name in ("A", "B")}
    write(home, "dataset", "toy", changed(DATASET, targets={"files": files}))
    told = refusal(all_sources, Configuration(home, SCHEMAS), ["toy"])
    assert told.startswith("dataset toy: source peaks.bed is also named by another source with another address")


def test_two_data_sets_that_give_one_file_different_digests_are_refused(home):
    shared = {"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa"}
    write(home, "dataset", "toy", changed(DATASET, genome__source={**shared, "sha256": DIGEST}))
    write(home, "dataset", "other", changed(DATASET, genome__source={**shared, "sha256": "1" * 64}))
    told = refusal(all_sources, Configuration(home, SCHEMAS), ["toy", "other"])
    assert told.startswith("dataset other: source shared/toy1.fa is also named by another source")


def test_a_missing_local_file_is_told_before_anything_runs(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(home, "dataset", "toy", changed(DATASET, genome__source={"path": "data/toy1.fa"}))
    configuration = Configuration(home, SCHEMAS)
    told = refusal(all_sources, configuration, ["toy"])
    assert told.startswith("dataset toy: data/toy1.fa: no such file; relative paths are relative to where snakemake")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "toy1.fa").write_text(">c1\nA\n")
    assert all_sources(configuration, ["toy"])["genomes/toy1/toy1.fa"]["path"] == "data/toy1.fa"


def test_what_is_simulated_is_not_fetched_and_belongs_to_its_data_set(home):
    content = changed(DATASET, genome__source={}, targets={"named": {}, "names": ["A"]})
    write(home, "dataset", "toy", {**content, "simulation": {"seed": 1}})
    write(home, "dataset", "other", {"defaults": ["toy", "_self_"], "simulation": {"seed": 2}})
    configuration = Configuration(home, SCHEMAS)
    assert all_sources(configuration, ["toy", "other"]) == {}
    found = stores(configuration, ["toy", "other"])
    for name in ("toy", "other"):
        config = configuration.dataset(name)
        assert is_simulated(config)
        assert config["targets"] == {"named": {"file": f"simulated/{name}/peaks.bed"}, "names": ["A"]}
        assert found[name]["dataset"] == name
        assert found[name]["source"][0]["file"] == f"simulated/{name}/genome.fa"


def test_two_data_sets_share_a_genome_that_is_the_same(home):
    shared = {"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa"}
    for name in ("toy", "other"):
        write(home, "dataset", name, changed(DATASET, genome__source=shared))
    found = stores(Configuration(home, SCHEMAS), ["toy", "other"])
    assert found == {"toy1": {"name": "toy1", "source": [{**NO_SOURCE, **shared}]}}


@pytest.mark.parametrize(
    "changes",
    [
        {"genome__source": {"url": "https://a.org/toy2.fa", "file": "shared/toy1.fa"}},
        {"genome__soft_mask": True},
        {"genome__contig_md5": {"c1": "0" * 32}},
    ],
)
def test_two_genomes_of_one_name_are_refused(home, changes):
    base = changed(DATASET, genome__source={"url": "https://a.org/toy1.fa", "file": "shared/toy1.fa"})
    write(home, "dataset", "toy", base)
    write(home, "dataset", "other", changed(base, **changes))
    told = refusal(stores, Configuration(home, SCHEMAS), ["toy", "other"])
    assert told == "dataset other: genome toy1 is another one in another data set of this run; rename one"


def test_the_track_that_attention_is_held_against_is_a_source_of_its_data_set(home, tmp_path):
    (tmp_path / "dnase.bw").touch()
    track = {"path": str(tmp_path / "dnase.bw")}
    write(home, "dataset", "toy", changed(DATASET, interpretation={"attention_track": track}))
    write(home, "interpretation", "target", changed(INTERPRETATION, attention_track="A"))
    write(home, "dataset", "other", DATASET)
    configuration = Configuration(home, SCHEMAS)
    source = {**NO_SOURCE, **track, "file": "attention/toy/dnase.bw"}
    assert attention_source(configuration, "toy", "default") == [source]
    assert all_sources(configuration, ["toy"], "default")["attention/toy/dnase.bw"] == source
    assert attention_source(configuration, "other", "target") == attention_source(configuration, "toy", None) == []
    plan = Plan({**RUN, "datasets": ["toy", "other"], "interpretation": "target"}, configuration)
    assert (plan.attention_track("toy"), plan.attention_track("other")) == ("dnase.bw", "A")
    assert plan.attention_source("toy") == ["resources/sources/attention/toy/dnase.bw"]
    assert plan.attention_source("other") == []


def test_a_library_of_motifs_is_a_source_of_the_data_sets_that_are_matched_to_it(home, tmp_path):
    (tmp_path / "mine.meme").touch()
    library = {"path": str(tmp_path / "mine.meme")}
    write(home, "interpretation", "mine", changed(INTERPRETATION, jaspar__library=library))
    configuration = Configuration(home, SCHEMAS)
    source = {**NO_SOURCE, **library, "file": "motifs/mine.meme"}
    found = all_sources(configuration, ["toy"], "mine")
    assert found["motifs/mine.meme"] == source
    assert [file for file in found if file not in all_sources(configuration, ["toy"])] == ["motifs/mine.meme"]
    assert all_sources(configuration, ["toy"], "default") == all_sources(configuration, ["toy"])
    assert motif_library(configuration, "toy", "mine") == [source]
    assert motif_library(configuration, "toy", "default") == motif_library(configuration, "toy", None) == []
    (tmp_path / "mine.meme").unlink()
    assert "mine.meme: no such file" in refusal(all_sources, configuration, ["toy"], "mine")
