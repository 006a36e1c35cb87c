from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from window_files import HOLDOUT, write_holdout

from lociflow.command import UserError
from lociflow.evaluation.ceiling import (
    bin_probabilities,
    bound_sites,
    label_weights,
    no_label,
    read_truth,
    score_ceiling,
)
from lociflow.evaluation.metrics import auroc
from lociflow.evaluation.predictions import read_predictions
from lociflow.genome.grammar import arrangements
from lociflow.genome.labels import LabelRule, label_bins
from lociflow.genome.simulation import simulate, write_simulation
from lociflow.sequence.alphabet import decode
from lociflow.sequence.genome_store import write_store
from lociflow.sequence.store import open_store

BUILT_IN = Path(__file__).parents[3] / "config" / "dataset" / "simulated.yaml"

COUNTS = {
    "MX": np.array([[90.0, 5, 3, 2], [4, 80, 10, 6], [70, 10, 10, 10]]),
    "MY": np.array([[2.0, 3, 85, 10], [1, 2, 7, 90]]),
}
FACTORS = {"X": {"matrix": "MX", "sites": 30}, "Y": {"matrix": "MY", "sites": 50}}


def tiny(**changes):
    return {
        "seed": 3,
        "release": "JASPAR2024",
        "contigs": {"a": 1500, "b": 1500},
        "background": {"order": 1, "isochores": {"length": 500, "gc": [0.3, 0.6]}, "words": {"CG": 0.4}},
        "factors": FACTORS,
        "pair": {"factor": "X", "partner": "Y", "gap": [1, 2], "orientation": "same"},
        "decoys": {"lone": 10, "inverted": 5},
        "peaks": {"missed": 0.2, "spurious": 0.1, "jitter": 1, "width": [4, 6]},
        **changes,
    }


def all_ways(truth, bases, first=0):
    """Yield every set of elements that fits between ``first`` and ``bases``, with its prior."""
    if first >= bases:
        yield [], 1.0
        return
    for rest, prior in all_ways(truth, bases, first + 1):
        yield rest, (1 - truth.start) * prior
    for element in truth.grammar.elements:
        ways = arrangements(element, truth.grammar.matrices)
        for way in ways:
            if first + way.length <= bases:
                share = truth.start * element.copies / truth.planted / len(ways)
                for rest, prior in all_ways(truth, bases, first + way.length + truth.grammar.margin):
                    yield [(first, way), *rest], share * prior


def likelihood(truth, level, codes, elements):
    """P(sequence | elements): codes have a base of context on either side, the chain is of order 1."""
    transition, stationary = np.exp(truth.log_transition[level]), np.exp(truth.log_stationary[level])
    planted = {}
    for start, way in elements:
        for place in way.places:
            matrix = truth.grammar.matrices[place.part.matrix]
            matrix = matrix if place.strand == "+" else matrix[::-1, ::-1]
            for position in range(place.length):
                planted[start + place.offset + position + 1] = matrix[position]
    value = 1.0
    for position in range(1, len(codes)):
        if position in planted:
            value *= planted[position][codes[position]]
        elif position - 1 in planted:
            value *= stationary[codes[position]]
        else:
            value *= transition[codes[position - 1], codes[position]]
    return value


@pytest.mark.parametrize("level", [0, 1])
def test_no_label_equals_the_sum_over_all_ways(level):
    truth = read_truth(tiny(), COUNTS)
    generator = np.random.Generator(np.random.Philox(5))
    bases = 14
    codes = generator.integers(4, size=(3, bases + 2)).astype(np.uint8)
    codes[1, 3:10] = [2, 3, 1, 0, 1, 0, 0]  # Y, a gap of one base, X
    weights = generator.random(bases)
    found = no_label(codes, np.full(3, level), truth, weights)
    assert found.shape == (2, 3)
    ways = list(all_ways(truth, bases))
    assert max(len(elements) for elements, _ in ways) > 1
    for lane in range(3):
        total, without = 0.0, np.zeros(2)
        for elements, prior in ways:
            value = prior * likelihood(truth, level, codes[lane], elements)
            total += value
            unlabelled = np.ones(2)
            for start, way in elements:
                for place in way.places:
                    if place.part.bound:
                        middle = start + place.offset + place.length // 2
                        unlabelled[truth.grammar.factors.index(place.part.factor)] *= 1 - 0.8 * weights[middle]
            without += value * unlabelled
        np.testing.assert_allclose(found[:, lane], without / total, rtol=1e-10)


def test_unknown_bases_hold_no_motif():
    truth = read_truth(tiny(), COUNTS)
    codes = np.full((1, 16), 4, dtype=np.uint8)
    np.testing.assert_allclose(no_label(codes, np.zeros(1, dtype=int), truth, np.ones(14)), 1)


def test_long_regions_do_not_overflow():
    truth = read_truth(tiny(), COUNTS)
    codes = np.tile(np.array([2, 3, 1, 0, 1, 0], dtype=np.uint8), 2000)[None]
    found = no_label(codes, np.zeros(1, dtype=int), truth, np.zeros(codes.shape[1] - 2))
    np.testing.assert_allclose(found, 1)


def test_label_weights_by_hand():
    # Peaks of 4 bases on a bin of 4: half is covered when the summit, the third base, is 0 to 4.
    reach, weights = label_weights({"jitter": 0, "width": [4, 4]}, 4, 0.5)
    expected = {middle: float(0 <= middle <= 4) for middle in range(-reach, 4 + reach)}
    assert dict(zip(range(-reach, 4 + reach), weights, strict=True)) == expected
    reach, weights = label_weights({"jitter": 1, "width": [4, 4]}, 4, 0.5)
    found = dict(zip(range(-reach, 4 + reach), weights, strict=True))
    assert [round(3 * found.get(middle, 0.0), 9) for middle in range(-2, 7)] == [0, 1, 2, 3, 3, 3, 2, 1, 0]


def test_label_weights_follow_the_rule_of_the_labels():
    peaks, length = {"jitter": 3, "width": [5, 12]}, 10
    reach, weights = label_weights(peaks, length, 0.6)
    contigs = pd.CategoricalDtype(["a"])
    bins = pd.DataFrame({"contig": pd.Categorical(["a"], dtype=contigs), "start": [100], "end": [110]})
    for middle in range(-30, 40):
        widths, moves = (grid.ravel() for grid in np.meshgrid(np.arange(5, 13), np.arange(-3, 4)))
        start = 100 + middle + moves - widths // 2
        table = pd.DataFrame(
            {
                "contig": pd.Categorical(["a"] * len(widths), dtype=contigs),
                "start": start,
                "end": start + widths,
                "target": pd.Categorical(range(len(widths))),
            }
        )
        expected = label_bins(bins, table, LabelRule(0.6)).mean()
        found = weights[middle + reach] if 0 <= middle + reach < len(weights) else 0.0
        assert found == pytest.approx(expected, abs=1e-9)


def test_bound_sites_are_counted_over_all_elements():
    assert bound_sites(read_truth(tiny(), COUNTS).grammar) == {"X": 30, "Y": 50 + 30 + 5}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The files of a tiny simulated data set, its second contig half validation, half test."""
    monkeypatch.setattr("lociflow.genome.simulation.fetch_counts", lambda release, ids: COUNTS)
    paths = {name: tmp_path / file for name, file in (("genome", "g.fa"), ("peaks", "p.bed"), ("sites", "s.tsv"))}
    write_simulation(tiny(), **paths)
    write_store([paths["genome"]], tmp_path / "codes.npy", tmp_path / "store.json", "tiny")
    starts = np.tile(np.arange(0, 1500, 50), 2)
    bins = pd.DataFrame(
        {
            "contig": pd.Categorical(np.repeat(["a", "b"], 30)),
            "start": starts,
            "end": starts + 50,
            "strand": pd.Categorical(["."] * 60, categories=[".", "+", "-"]),
            "split": pd.Categorical(np.repeat(["train", "validation", "test"], [30, 15, 15])),
            "group": pd.Categorical([None] * 60),
        }
    )
    write_holdout(tmp_path / "windows.parquet", bins)
    np.save(tmp_path / "targets.npy", np.zeros((60, 2), dtype=np.int8))
    (tmp_path / "targets.tsv").write_text("target\tpeaks\nY\t1\nX\t1\n")
    return {
        "store": tmp_path / "store.json",
        "windows": tmp_path / "windows.parquet",
        "targets": tmp_path / "targets.npy",
        "target_table": tmp_path / "targets.tsv",
        "sites": paths["sites"],
        "predictions": tmp_path / "predictions.parquet",
        "split": HOLDOUT,
    }


def test_predictions_of_validation_and_test_bins(files):
    score_ceiling(**files, config=tiny())
    found = read_predictions(files["predictions"])
    assert found.columns.tolist() == ["bin", "split", "Y", "X"]
    assert found["bin"].tolist() == list(range(30, 60))
    assert found["split"].tolist() == ["validation"] * 15 + ["test"] * 15
    assert found[["X", "Y"]].to_numpy().min() > 0
    assert found[["X", "Y"]].to_numpy().max() < 1


def test_a_stricter_rule_of_the_labels_lowers_the_probabilities(files):
    score_ceiling(**files, config=tiny())
    usual = read_predictions(files["predictions"])
    score_ceiling(**files, config=tiny(), labels={"min_overlap": 1.0})
    assert read_predictions(files["predictions"])["Y"].mean() < usual["Y"].mean()


def test_labels_may_leave_the_overlap_open_but_have_no_score(files):
    score_ceiling(**files, config=tiny(), labels={"min_overlap": 0.5})
    usual = files["predictions"].read_bytes()
    score_ceiling(**files, config=tiny(), labels={"positive_score": None})
    assert files["predictions"].read_bytes() == usual
    with pytest.raises(UserError, match=r"labels\.positive_score: found 0, expected null"):
        score_ceiling(**files, config=tiny(), labels={"positive_score": 0})


def test_a_target_that_is_no_factor_is_refused(files):
    files["target_table"].write_text("target\tpeaks\nY\t1\nW\t1\n")
    with pytest.raises(UserError, match="target W is no factor of the simulation, expected some of X, Y"):
        score_ceiling(**files, config=tiny())


def test_sites_of_another_simulation_are_refused(files):
    factors = {**FACTORS, "Y": {"matrix": "MY", "sites": 49}}
    with pytest.raises(UserError, match="of another simulation"):
        score_ceiling(**files, config=tiny(factors=factors))


def test_a_contig_that_is_not_simulated_is_refused(files):
    with pytest.raises(UserError, match="contig b is not in the simulation"):
        score_ceiling(**{**files, "sites": None}, config=tiny(contigs={"a": 3000}))


class Scored:
    """The built-in genome, every 200-bp bin of which is labelled, and the ceiling of its test contigs."""

    def __init__(self, folder):
        dataset = yaml.safe_load(BUILT_IN.read_text())
        config, names = dataset["simulation"], dataset["targets"]["names"]
        self.drawn = simulate(config)
        fasta = folder / "genome.fa"
        fasta.write_text("".join(f">{name}\n{decode(codes)}\n" for name, codes in self.drawn.genome.items()))
        write_store([fasta], folder / "codes.npy", folder / "store.json", "simulated")
        self.store = open_store(folder / "store.json")
        contigs = pd.CategoricalDtype(list(self.drawn.genome))
        rows = [(name, start) for name, codes in self.drawn.genome.items() for start in range(0, len(codes), 200)]
        self.bins = pd.DataFrame(rows, columns=["contig", "start"]).astype({"contig": contigs})
        self.bins["end"] = self.bins["start"] + 200
        peaks = self.drawn.peaks.astype({"contig": contigs})
        peaks["target"] = pd.Categorical(peaks["factor"], categories=names)
        self.labels = label_bins(self.bins, peaks)
        self.test = self.bins["contig"].isin(dataset["split"]["test"]).to_numpy()
        self.held_out = self.test | self.bins["contig"].isin(dataset["split"]["validation"]).to_numpy()
        self.names, self.truth = names, read_truth(config)
        self.ceiling = bin_probabilities(self.store, self.bins[self.test], self.truth, names, 0.5)


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> Scored:
    return Scored(tmp_path_factory.mktemp("built_in"))


def scores_of(scored: Scored, predictions):
    return np.array([auroc(scored.labels[scored.test, column], predictions[:, column]) for column in range(6)])


def test_the_ceiling_is_calibrated_and_below_one(scored):
    found = scores_of(scored, scored.ceiling)
    assert (found > 0.88).all()
    assert (found < 0.98).all()
    np.testing.assert_allclose(scored.ceiling.mean(0), scored.labels[scored.test].mean(0), atol=0.012)


def test_a_scan_with_the_true_matrices_is_below_the_ceiling(scored):
    """The best site of a bin is what a perfectly learned filter sees: neither decoys nor the rule of the pair."""
    scan = np.empty_like(scored.ceiling)
    best = {}
    for name, entry in yaml.safe_load(BUILT_IN.read_text())["simulation"]["factors"].items():
        forward = np.log(scored.truth.grammar.matrices[entry["matrix"]])
        for contig, codes in scored.drawn.genome.items():
            value = [
                sum(table[row, codes[row : len(codes) - len(table) + row + 1]] for row in range(len(table)))
                for table in (forward, forward[::-1, ::-1])
            ]
            best[name, contig] = np.pad(np.maximum(*value), (0, 200))
    for row, (contig, start) in enumerate(scored.bins.loc[scored.test, ["contig", "start"]].itertuples(index=False)):
        scan[row] = [best[name, contig][start : start + 190].max() for name in scored.names]
    found, ceiling = scores_of(scored, scan), scores_of(scored, scored.ceiling)
    assert (found > 0.8).all()
    assert (found < ceiling).all()
    pair = scored.names.index("NFYA")
    assert ceiling[pair] - found[pair] > 0.05


@pytest.mark.slow
def test_a_small_network_is_below_the_ceiling(scored):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    one_hot = torch.eye(4)[
        torch.as_tensor(np.concatenate([codes.reshape(-1, 200) for codes in scored.drawn.genome.values()])).long()
    ].transpose(1, 2)
    labels = torch.as_tensor(scored.labels).float()
    convolution = torch.nn.Conv1d(4, 64, 19, padding=9)
    head = torch.nn.Linear(64, 6)
    parameters = [*convolution.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.004)
    train = np.flatnonzero(~scored.held_out)
    generator = np.random.Generator(np.random.Philox(1))

    def logits(sequence):
        return head(torch.relu(convolution(sequence)).amax(2))

    for _ in range(12):
        for rows in np.array_split(generator.permutation(train), len(train) // 64):
            sequence = one_hot[rows] if generator.random() < 0.5 else one_hot[rows].flip(1, 2)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(sequence), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        sequence = one_hot[np.flatnonzero(scored.test)]
        predicted = (logits(sequence).sigmoid() + logits(sequence.flip(1, 2)).sigmoid()).numpy()
    found, ceiling = scores_of(scored, predicted), scores_of(scored, scored.ceiling)
    assert found.mean() > 0.7
    assert (found < ceiling).all()
