import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lociflow.command import UserError
from lociflow.genome.grammar import matrix_ids
from lociflow.genome.simulation import (
    SITE_COLUMNS,
    Simulation,
    check_simulation,
    isochores,
    read_sites,
    simulate,
    simulated_grammar,
    write_simulation,
)
from lociflow.sequence.alphabet import decode, reverse_complement

BUILT_IN = Path(__file__).parents[3] / "config" / "dataset" / "simulated.yaml"

COUNTS = {
    "MX": 1000 * np.eye(4)[[0, 1, 1, 0, 2]],
    "MY": 1000 * np.eye(4)[[2, 2, 3, 1, 0, 0, 3]],
    "MZ": 1000 * np.eye(4)[[3, 3, 3, 1, 1, 1]],
}


def tiny(**changes):
    return {
        "seed": 7,
        "release": "JASPAR2024",
        "contigs": {"a": 6000, "b": 3000, "c": 1000},
        "background": {"order": 1, "isochores": {"length": 900, "gc": [0.4, 0.5]}, "words": {"CG": 0.5}},
        "factors": {"X": {"matrix": "MX", "sites": 40}, "Y": {"matrix": "MY", "sites": 30}},
        "pair": {"factor": "X", "partner": "Y", "gap": [2, 6], "orientation": "opposite"},
        "decoys": {
            "lone": 20,
            "inverted": 10,
            "distant": {"sites": 10, "gap": [8, 12]},
            "weakened": {"sites": 5, "weight": 0.5},
            "shuffled": {"sites": 5},
            "foreign": {"Z": {"matrix": "MZ", "sites": 15}},
        },
        "peaks": {"missed": 0.1, "spurious": 0.2, "jitter": 5, "width": [20, 30]},
        **changes,
    }


@pytest.fixture(scope="module")
def drawn() -> Simulation:
    return simulate(tiny(), COUNTS)


@pytest.fixture(scope="module")
def built_in() -> dict:
    return yaml.safe_load(BUILT_IN.read_text())


@pytest.fixture(scope="module")
def genome(built_in: dict) -> Simulation:
    return simulate(built_in["simulation"])


def same(first: Simulation, second: Simulation) -> bool:
    return (
        list(first.genome) == list(second.genome)
        and all(np.array_equal(first.genome[name], second.genome[name]) for name in first.genome)
        and first.sites.equals(second.sites)
        and first.peaks.equals(second.peaks)
    )


def test_planted_counts_are_exact(drawn):
    counts = drawn.sites.groupby(["factor", "kind", "bound", "matrix"]).size().to_dict()
    assert counts == {
        ("X", "decoy", 0, "MX"): 20 + 10 + 10,
        ("X", "pair", 1, "MX"): 40,
        ("Y", "decoy", 0, "MY shuffled"): 5,
        ("Y", "decoy", 0, "MY weakened"): 5,
        ("Y", "pair", 1, "MY"): 40,
        ("Y", "site", 1, "MY"): 30 + 10 + 10,
        ("Z", "decoy", 0, "MZ"): 15,
    }


def test_contigs_have_their_lengths_and_no_other_base(drawn):
    assert {name: len(codes) for name, codes in drawn.genome.items()} == {"a": 6000, "b": 3000, "c": 1000}
    assert all(codes.dtype == np.uint8 and codes.max() < 4 for codes in drawn.genome.values())


def check_sites_stand_in_genome(found):
    for site in found.sites.itertuples():
        codes = found.genome[site.contig][site.start : site.end]
        assert decode(codes if site.strand == "+" else reverse_complement(codes)) == site.sequence


def test_every_planted_sequence_stands_in_the_genome(drawn):
    check_sites_stand_in_genome(drawn)
    certain = drawn.sites[drawn.sites["matrix"] == "MX"]["sequence"]
    assert (certain == "ACCAG").mean() > 0.98


def test_both_strands_are_used(drawn):
    assert drawn.sites["strand"].value_counts(normalize=True).to_dict() == pytest.approx({"+": 0.5, "-": 0.5}, abs=0.15)


def check_no_overlap(sites, margin):
    for _, rows in sites.groupby("contig"):
        gaps = rows["start"].to_numpy()[1:] - rows["end"].to_numpy()[:-1]
        elements = rows["element"].to_numpy()
        other = elements[1:] != elements[:-1]
        assert (gaps >= 0).all()
        assert gaps[other].min() >= margin


def test_planted_elements_keep_their_margin(drawn):
    check_no_overlap(drawn.sites, 7)


def relation(rows, factor, partner):
    """Return gap, whether the factor lies 3' of the partner, and whether they share a strand."""
    x, y = rows[rows["factor"] == factor].iloc[0], rows[rows["factor"] == partner].iloc[0]
    after = (x["start"] > y["start"]) == (y["strand"] == "+")
    return max(x["start"], y["start"]) - min(x["end"], y["end"]), after, x["strand"] == y["strand"]


def test_the_spacing_rule_holds_for_every_bound_pair_and_for_no_decoy(drawn):
    bound = []
    gaps = set()
    for _, rows in drawn.sites.groupby("element"):
        if len(rows) == 1:
            continue
        gap, after, together = relation(rows, "X", "Y")
        assert after
        within = 2 <= gap <= 6
        expected = within and not together
        assert bool(rows.loc[rows["factor"] == "X", "bound"].iloc[0]) == expected
        assert (rows.loc[rows["factor"] == "Y", "bound"] == 1).all()
        bound.append(expected)
        gaps |= {gap} if expected else set()
    assert (sum(bound), len(bound)) == (40, 60)
    assert gaps == {2, 3, 4, 5, 6}


def test_the_same_configuration_gives_the_same_genome_and_another_seed_another(drawn):
    assert same(drawn, simulate(tiny(), COUNTS))
    other = simulate(tiny(seed=8), COUNTS)
    assert not np.array_equal(other.genome["a"], drawn.genome["a"])
    assert not other.sites.equals(drawn.sites)


def test_the_order_of_keys_means_nothing(drawn):
    config = tiny()
    reverse = {key: dict(reversed(config[key].items())) for key in ("contigs", "factors", "decoys")}
    assert same(drawn, simulate({**config, **reverse}, COUNTS))


def test_noise_of_the_peaks_leaves_the_sequence_as_it_was(drawn):
    other = simulate(tiny(peaks={"missed": 0.5, "spurious": 0.0, "jitter": 0, "width": [20, 30]}), COUNTS)
    assert np.array_equal(other.genome["a"], drawn.genome["a"])
    assert other.sites.equals(drawn.sites)


def test_peaks_are_counted_exactly(drawn):
    # Of 40 bound X 36 are called; 9 more make a fifth of 45. Of 90 bound Y 81, and 20.25 more.
    assert drawn.peaks["factor"].value_counts().to_dict() == {"X": 45, "Y": 101}


def test_peaks_without_noise_are_centred_on_their_sites():
    config = tiny(peaks={"missed": 0.0, "spurious": 0.0, "jitter": 0, "width": [20, 20]}, contigs={"a": 20000})
    found = simulate(config, COUNTS)
    bound = found.sites[(found.sites["factor"] == "X") & (found.sites["bound"] == 1)]
    peaks = found.peaks[found.peaks["factor"] == "X"]
    middle = (bound["start"] + bound["end"]).to_numpy() // 2
    np.testing.assert_array_equal(peaks["start"], np.maximum(middle - 10, 0))
    np.testing.assert_array_equal(peaks["end"], np.minimum(middle + 10, 20000))


def test_jitter_and_width_stay_in_their_range():
    config = tiny(peaks={"missed": 0.0, "spurious": 0.0, "jitter": 5, "width": [20, 30]}, contigs={"a": 20000})
    found = simulate(config, COUNTS)
    peaks = found.peaks[found.peaks["factor"] == "X"]
    bound = found.sites[(found.sites["factor"] == "X") & (found.sites["bound"] == 1)]
    middle = (bound["start"] + bound["end"]).to_numpy() // 2
    width = (peaks["end"] - peaks["start"]).to_numpy()
    assert (width.min(), width.max()) >= (20, 20)
    assert width.max() <= 30
    nearest = np.abs((peaks["start"].to_numpy() + width // 2)[:, None] - middle).min(1)
    assert nearest.max() <= 5
    assert nearest.max() > 0


def test_peaks_stay_on_their_contigs(drawn):
    lengths = drawn.peaks["contig"].map({"a": 6000, "b": 3000, "c": 1000})
    assert (drawn.peaks["start"] >= 0).all()
    assert (drawn.peaks["end"] <= lengths).all()
    assert (drawn.peaks["end"] > drawn.peaks["start"]).all()
    assert drawn.peaks["score"].between(100, 1000).all()


def test_isochores_tile_the_contigs():
    segments = isochores(tiny())
    for contig, length in tiny()["contigs"].items():
        rows = segments[segments["contig"] == contig]
        assert rows["start"].tolist() == [0, *rows["end"][:-1]]
        assert rows["end"].iloc[-1] == length
    assert set(segments["gc"]) == {0.4, 0.5}


def test_files(tmp_path, monkeypatch):
    monkeypatch.setattr("lociflow.genome.simulation.fetch_counts", lambda release, ids: COUNTS)
    paths = [tmp_path / name for name in ("genome.fa", "peaks.bed", "sites.tsv")]
    write_simulation(tiny(), *paths)
    first = [path.read_bytes() for path in paths]
    write_simulation(tiny(), *paths)
    assert [path.read_bytes() for path in paths] == first
    drawn = simulate(tiny(), COUNTS)
    letters = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in paths[0].read_text().split(">")[1:]}
    assert {name: text.replace("\n", "") for name, text in letters.items()} == {
        name: decode(codes) for name, codes in drawn.genome.items()
    }
    bed = pd.read_csv(paths[1], sep="\t", header=None)
    assert bed.shape == (146, 6)
    assert bed[3].tolist() == drawn.peaks["factor"].tolist()
    assert set(bed[5]) == {"."}
    assert paths[2].read_text().splitlines()[0] == "\t".join(SITE_COLUMNS)
    assert read_sites(paths[2]).equals(drawn.sites.astype(read_sites(paths[2]).dtypes.to_dict()))


def test_a_genome_too_short_for_its_motifs_is_refused():
    with pytest.raises(UserError, match=r"contig a has 500 bases.*make it longer or plant fewer"):
        simulate(tiny(contigs={"a": 500}), COUNTS)


def test_a_missing_file_of_sites_is_refused(tmp_path):
    with pytest.raises(UserError, match="planted sites"):
        read_sites(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("seeds",), 1, "found the key seeds"),
        (("peaks", "false"), 0.1, "simulation.peaks: found the key false"),
        (("decoys", "weakened"), {"sites": 1}, "simulation.decoys.weakened: the key weight is missing"),
        (("factors", "X"), {"matrix": "MX"}, "simulation.factors.X: the key sites is missing"),
        (("pair",), 3, "simulation.pair: found 3, expected a mapping"),
        (("contigs",), {}, "expected a length for each contig"),
        (("contigs", "a"), 0, "expected lengths above 0"),
        (("peaks", "missed"), 1, "simulation.peaks.missed: found 1"),
        (("peaks", "spurious"), -0.1, "simulation.peaks.spurious: found -0.1"),
        (("peaks", "width"), [30, 20], "simulation.peaks.width"),
        (("seed",), -1, "simulation.seed"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(path, value, message):
    config = copy.deepcopy(tiny())
    inner = config
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(UserError, match=message):
        check_simulation(config)


def test_built_in_genome_is_as_configured(built_in, genome):
    config = built_in["simulation"]
    assert {name: len(codes) for name, codes in genome.genome.items()} == config["contigs"]
    assert sum(config["contigs"].values()) == 2_400_000
    bound = genome.sites[genome.sites["bound"] == 1]["factor"].value_counts().to_dict()
    assert bound == {"CTCF": 1000, "REST": 1300, "HNF1A": 1000, "GRHL1": 1000, "EBF1": 1000, "NFYA": 800}
    assert set(built_in["targets"]["names"]) == set(bound)
    check_sites_stand_in_genome(genome)
    check_no_overlap(genome.sites, simulated_grammar(config).margin)
    gc = np.isin(np.concatenate(list(genome.genome.values())), [1, 2]).mean()
    assert 0.40 < gc < 0.50


def test_every_factor_of_the_built_in_genome_is_of_its_own_known_family(built_in):
    from pyjaspar import jaspardb

    database = jaspardb(release=built_in["simulation"]["release"])
    families = []
    for name in matrix_ids(built_in["simulation"]):
        motif = database.fetch_motif_by_id(name)
        assert motif.collection == "CORE"
        assert len(motif.tf_family) == 1, f"{name} has no family in JASPAR"
        families += motif.tf_family
    assert len(set(families)) == len(families)


def test_every_contig_of_the_built_in_split_is_in_its_genome(built_in):
    split, contigs = built_in["split"], built_in["simulation"]["contigs"]
    named = [*split["validation"], *split["test"]]
    assert set(named) < set(contigs)
    assert len(set(named)) == len(named)
