import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from store_files import StoreOf
from tangermeme.variant_effect import deletion_effect, insertion_effect, substitution_effect
from torch import nn
from toy_predictors import REAL, linear, predictor, profile

from lociflow.effects.alignment import onto_reference
from lociflow.effects.alleles import Allele
from lociflow.effects.statistics import effect_columns, profile_distance, score_alleles
from lociflow.models.outputs import Outputs

GENOME = {"chrI": "ACGTTGCAACGTNACGATTTACGACGGCAT"}
BINARY = Outputs("binary", ("Reb1", "Rap1"))
SPLICE = Outputs("position_class", ("splice",), (("none", "donor", "acceptor"),), positions=4)
WEIGHTS = torch.arange(32, dtype=torch.float32).reshape(4, 8) ** 2


def test_of_a_linear_model_the_difference_of_two_weights(store_of: StoreOf) -> None:
    found = score_alleles([predictor(linear(WEIGHTS), 8, REAL)], store_of(GENOME), [Allele(0, 8, "A", "G")], [0])
    assert found.statistics["difference"].item() == (WEIGHTS[2, 4] - WEIGHTS[0, 4]).item()
    assert found.effect.item() == found.statistics["difference"].item()
    assert math.isnan(found.spread.item())


def test_over_shifts_the_mean(store_of: StoreOf) -> None:
    found = score_alleles([predictor(linear(WEIGHTS), 8, REAL)], store_of(GENOME), [Allele(0, 8, "A", "G")], [-1, 0, 3])
    # A window moved to the right has the variant further left.
    expected = np.mean([(WEIGHTS[2, place] - WEIGHTS[0, place]).item() for place in (5, 4, 1)])
    assert found.effect.item() == pytest.approx(expected)


def test_on_both_strands_the_mean(store_of: StoreOf) -> None:
    found = score_alleles(
        [predictor(linear(WEIGHTS), 8, REAL, strands=True)], store_of(GENOME), [Allele(0, 8, "A", "G")], [0]
    )
    forward = WEIGHTS[2, 4] - WEIGHTS[0, 4]
    # From the other strand A to G is T to C, at the fourth base from the left.
    other = WEIGHTS[1, 3] - WEIGHTS[3, 3]
    assert found.effect.item() == ((forward + other) / 2).item()


def test_over_seeds_the_mean_and_the_spread(store_of: StoreOf) -> None:
    seeds = [predictor(linear(factor * WEIGHTS), 8, REAL) for factor in (1, 2, 6)]
    found = score_alleles(seeds, store_of(GENOME), [Allele(0, 8, "A", "G")], [0])
    one = (WEIGHTS[2, 4] - WEIGHTS[0, 4]).item()
    assert found.effect.item() == pytest.approx(3 * one)
    assert found.spread.item() == pytest.approx(abs(one) * np.std([1, 2, 6], ddof=1))


def two_columns(sequence: torch.Tensor) -> torch.Tensor:
    """Say 100 for each G and -100 for each A; and the middle base's number."""
    return torch.stack([100 * (sequence[:, 2].sum(1) - sequence[:, 0].sum(1)), sequence[:, 3, 4]], dim=1)


def test_odds_are_not_clipped_where_probabilities_are_one(store_of: StoreOf) -> None:
    store = store_of({"chrI": "GGGGGGGG"})
    found = score_alleles([predictor(two_columns, 8, BINARY)], store, [Allele(0, 4, "G", "T")], [0]).statistics
    assert found["log_odds_ratio"].tolist() == [[-100.0, 1.0]]
    assert found["difference"][0, 0] == 0.0
    sigmoid = 1 / (1 + math.exp(-1))
    assert found["reference"][0, 1] == 0.5
    assert found["alternative"][0, 1] == pytest.approx(sigmoid)
    assert found["difference"][0, 1] == pytest.approx(sigmoid - 0.5)


def test_odds_are_those_of_the_probability_that_both_strands_have(store_of: StoreOf) -> None:
    model = predictor(lambda sequence: sequence[:, 2, :4].sum(1, keepdim=True), 8, Outputs("binary", ("a",)), True)
    found = score_alleles([model], store_of({"chrI": "CCTTTTTT"}), [Allele(0, 4, "T", "C")], [0]).statistics
    p = {g: 1 / (1 + math.exp(-g)) for g in range(3)}
    before = (p[0] + p[0]) / 2
    # C at the fifth base is G at the fourth of the other strand.
    after = (p[0] + p[1]) / 2
    assert found["alternative"].item() == pytest.approx(after)
    assert found["log_odds_ratio"].item() == pytest.approx(math.log(after / (1 - after) * (1 - before) / before))


def test_odds_are_corrected_as_probabilities_are(store_of: StoreOf) -> None:
    model = predictor(two_columns, 8, BINARY, calibration=[[0.5, 0.25], [0.0, -1.0]])
    found = score_alleles([model], store_of({"chrI": "GGGGGGGG"}), [Allele(0, 4, "G", "T")], [0]).statistics
    assert found["log_odds_ratio"].tolist() == [[-50.0, 0.25]]
    assert found["reference"][0, 1] == pytest.approx(1 / (1 + math.e))


def test_of_classes_the_odds_against_all_others(store_of: StoreOf) -> None:
    outputs = Outputs("class", ("part",), (("exon", "intron", "other"),))
    model = predictor(lambda sequence: torch.stack([sequence[:, base].sum(1) for base in (0, 1, 2)], dim=1), 4, outputs)
    found = score_alleles([model], store_of({"chrI": "TTTT"}), [Allele(0, 2, "T", "A")], [0]).statistics
    assert effect_columns(model) == ("part:exon", "part:intron", "part:other")
    total = math.e + 2
    assert found["alternative"][0].tolist() == pytest.approx([math.e / total, 1 / total, 1 / total])
    assert found["log_odds_ratio"][0].tolist() == pytest.approx([1.0, *[math.log(2 / (1 + math.e))] * 2])


def test_of_profiles_fold_change_and_distance(store_of: StoreOf) -> None:
    outputs = Outputs("profile", ("plus",), positions=4)
    # The profile stands where G is.
    model = predictor(profile(lambda sequence: 20 * sequence[:, 2, 2:6, None]), 8, outputs)
    store = store_of({"chrI": "TTTTTTTG"})
    found = score_alleles([model], store, [Allele(0, 4, "T", "G"), Allele(0, 7, "G", "T")], [0]).statistics
    assert found["log2_fold_change"].ravel().tolist() == pytest.approx([1 / math.log(2), -1 / math.log(2)])
    # An even profile against one base.
    assert found["profile_distance"][0, 0] == pytest.approx(jensenshannon([0.25] * 4, [0, 0, 1, 0], base=2), abs=1e-6)
    assert found["alternative"].ravel().tolist() == [2.0, 0.0]


def test_a_profile_that_an_indel_only_moves_has_not_changed(store_of: StoreOf) -> None:
    outputs = Outputs("profile", ("plus",), positions=8)
    model = predictor(profile(lambda sequence: 20 * sequence[:, 2, :, None]), 8, outputs)
    store = store_of({"chrI": "TTTTTTGTTTTTTTT"})
    alleles = [Allele(0, 5, "T", "TT"), Allele(0, 4, "TT", "T"), Allele(0, 5, "TG", "T")]
    distance = score_alleles([model], store, alleles, [0]).statistics["profile_distance"].ravel()
    assert distance[:2].tolist() == pytest.approx([0, 0], abs=1e-4)
    assert distance[2] > 0.5


def test_the_distance_is_scipys() -> None:
    draws = np.random.default_rng(1)
    one, other = draws.random((2, 5, 7, 3))
    other[0, 0] = np.nan
    found = profile_distance(one, other)
    for row in range(5):
        for column in range(3):
            known = ~np.isnan(other[row, :, column])
            expected = jensenshannon(one[row, known, column], other[row, known, column], base=2)
            assert found[row, column] == pytest.approx(expected)
    assert np.isnan(profile_distance(np.zeros((1, 2, 1)), np.ones((1, 2, 1)))).all()


def test_an_alternative_track_on_the_reference() -> None:
    track = np.arange(1.0, 7)[None, :, None]
    nan = float("nan")

    def laid(first: int, before: int, after: int) -> list[float]:
        return onto_reference(track, first, before, after, np.max)[0, :, 0].tolist()

    def same(found: list[float], expected: list[float]) -> None:
        np.testing.assert_array_equal(found, expected)

    same(laid(2, 1, 1), [1, 2, 3, 4, 5, 6])
    # Two inserted bases, 4 and 5: the largest of all three stands on REF's last.
    same(laid(2, 1, 3), [1, 2, 5, 6, nan, nan])
    # Two deleted bases.
    same(laid(2, 3, 1), [1, 2, 3, 0, 0, 4])
    # At the ends of the bin, and beyond them.
    same(laid(5, 1, 3), [1, 2, 3, 4, 5, 6])
    same(laid(-2, 1, 3), [3, 4, 5, 6, nan, nan])
    same(laid(-2, 3, 1), [0, nan, 1, 2, 3, 4])
    same(laid(8, 1, 3), [1, 2, 3, 4, 5, 6])
    summed = onto_reference(track, 2, 1, 3, np.sum)[0, :, 0]
    np.testing.assert_array_equal(summed, [1, 2, 12, 6, nan, nan])


def donors(sequence: torch.Tensor) -> torch.Tensor:
    """A donor where G is, an acceptor where C is, of the four bases in the middle of eight."""
    middle = sequence[:, :, 2:6]
    return torch.stack([torch.zeros_like(middle[:, 0]), 50 * middle[:, 2], 50 * middle[:, 1]], dim=2)


def test_of_bases_the_largest_gain_and_loss_and_where(store_of: StoreOf) -> None:
    #                   01234567
    store = store_of({"chrI": "TTTGTTTTTTTT"})
    model = predictor(donors, 8, SPLICE)
    found = score_alleles([model], store, [Allele(0, 4, "T", "G"), Allele(0, 3, "GT", "C")], [0])
    assert effect_columns(model) == ("splice:donor", "splice:acceptor")
    even = 1 / 3
    values = {name: value.tolist() for name, value in found.statistics.items()}
    # T to G: the donor at the base itself; the acceptor is less probable there.
    assert values["gain"][0] == pytest.approx([1 - even, 0])
    assert values["loss"][0] == pytest.approx([0, even])
    assert values["gain_position"][0][0] == 0
    assert math.isnan(values["gain_position"][0][1])
    assert values["loss_position"][0][1] == 0
    # GT to C: the donor is lost at the first base, the acceptor gained there; the second is deleted and has nothing.
    assert values["loss"][1] == pytest.approx([1, even])
    assert values["loss_position"][1] == [0, 1]
    assert values["gain"][1][1] == pytest.approx(1)
    assert found.effect[0].tolist() == pytest.approx([1 - even, even])


def test_along_moved_windows_every_base_that_is_covered(store_of: StoreOf) -> None:
    store = store_of({"chrI": "TTTTTTTTTTTT"})
    found = score_alleles([predictor(donors, 8, SPLICE)], store, [Allele(0, 6, "T", "G")], [-2, 2]).statistics
    # One bin ends with the variant's base at its right, the other begins with it at its left: both see it.
    assert found["gain"][0, 0] == pytest.approx(2 / 3)
    assert found["gain_position"][0, 0] == 0
    far = score_alleles([predictor(donors, 8, SPLICE)], store, [Allele(0, 6, "T", "G")], [3]).statistics
    assert far["gain"][0, 0] == 0


def test_where_bins_have_a_strand_each_strand_has_its_effects(store_of: StoreOf) -> None:
    store = store_of({"chrI": "TTTTTTTTTTTT"})
    model = predictor(donors, 8, SPLICE, strands=True, stranded=True)
    names = ("splice:donor:plus", "splice:acceptor:plus", "splice:donor:minus", "splice:acceptor:minus")
    assert effect_columns(model) == names
    # C is an acceptor, and read from the other strand G, a donor at the same base.
    (found,) = score_alleles([model], store, [Allele(0, 7, "T", "C")], [1]).statistics["gain"]
    assert found.tolist() == pytest.approx([0, 2 / 3, 2 / 3, 0])
    place = score_alleles([model], store, [Allele(0, 7, "T", "C")], [1]).statistics["gain_position"][0]
    assert place[1:3].tolist() == [0, 0]


@pytest.mark.parametrize("outputs", [BINARY, Outputs("real", ("a", "b"))])
def test_each_strand_is_what_a_model_of_one_strand_says_of_the_other_sequence(
    store_of: StoreOf, outputs: Outputs
) -> None:
    turned = str.maketrans("ACGT", "TGCA")
    letters = "ACGTTGCAACGTTACGA"
    store = store_of({"plus": letters, "minus": letters.translate(turned)[::-1]})
    network = Network().eval()
    # Of 17 bases the ninth is the same from both ends.
    alleles = [Allele(0, 8, "A", "G"), Allele(1, 8, "T", "C")]
    model = predictor(network, 8, outputs, other_strand=[1, 0], stranded=True)
    assert effect_columns(model)[1:3] == (f"{outputs.targets[1]}:plus", f"{outputs.targets[0]}:minus")
    both = score_alleles([model], store, alleles[:1], [0]).effect[0]
    plain = score_alleles([predictor(network, 8, outputs)], store, alleles[:1], [0]).effect[0]
    # A window of eight has four bases on the left of the variant and three on the right.
    other = score_alleles([predictor(network, 8, outputs)], store, alleles[1:], [1]).effect[0]
    np.testing.assert_allclose(both, [*plain, *other[::-1]], atol=1e-6)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv1d(4, 6, 5)
        self.last = nn.Linear(6, 2)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(sequence).relu().amax(dim=2))


def one_hot(letters: str) -> torch.Tensor:
    return torch.tensor([[[float(letter == base) for letter in letters] for base in "ACGT"]])


def test_substitutions_insertions_and_deletions_as_tangermeme_has_them(store_of: StoreOf) -> None:
    letters = "".join(np.random.default_rng(2).choice(list("ACGT"), 80))
    network = Network().eval()
    outputs = Outputs("real", ("a", "b"))
    model = predictor(network, 20, outputs)
    # The window begins at 30, the variant stands at index 10 of it.
    other = "ACGT"[("ACGT".index(letters[40]) + 1) % 4]
    alleles = [
        Allele(0, 40, letters[40], other),
        Allele(0, 40, letters[40], letters[40] + "TG"),
        Allele(0, 40, letters[40:43], letters[40]),
    ]
    found = score_alleles([model], store_of({"chrI": letters}), alleles, [0]).statistics["difference"]
    window = one_hot(letters[30:50])
    substituted = substitution_effect(network, window, torch.tensor([[0, 10, "ACGT".index(other)]]), device="cpu")
    # tangermeme takes the inserted bases of one place from right to left.
    inserted = insertion_effect(network, window, torch.tensor([[0, 11, 2], [0, 11, 3]]), device="cpu")
    deleted = deletion_effect(network, one_hot(letters[30:52]), torch.tensor([[0, 11], [0, 12]]), device="cpu")
    for row, (before, after) in enumerate((substituted, inserted, deleted)):
        np.testing.assert_allclose(found[row], (after - before)[0].numpy(), atol=1e-6)


def test_neighbours_in_the_file_change_no_bit(store_of: StoreOf) -> None:
    letters = "".join(np.random.default_rng(2).choice(list("ACGT"), 80))
    alleles = [Allele(0, place, letters[place], "ACGT"["TGCA".index(letters[place])]) for place in range(10, 70)]
    store, outputs = store_of({"chrI": letters}), Outputs("real", tuple("abc"))
    torch.manual_seed(1)
    model = predictor(nn.Sequential(nn.Flatten(), nn.Linear(80, 3)).eval(), 20, outputs, strands=True, batch=16)
    found = score_alleles([model], store, alleles, [0]).statistics["alternative"]
    for row, allele in enumerate(alleles):
        assert score_alleles([model], store, [allele], [0]).statistics["alternative"].tolist() == [found[row].tolist()]


def test_the_batch_changes_nothing(store_of: StoreOf) -> None:
    letters = "".join(np.random.default_rng(2).choice(list("ACGT"), 80))
    alleles = [Allele(0, place, letters[place], "ACGT"["TGCA".index(letters[place])]) for place in range(10, 70)]
    store = store_of({"chrI": letters})
    found = [
        score_alleles(
            [predictor(Network().eval(), 20, Outputs("real", ("a", "b")), batch=size)], store, alleles, [0, 1]
        )
        for size in (1, 7, 1000)
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other.effect, found[0].effect, atol=1e-6)
