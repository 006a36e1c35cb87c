from typing import Any

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.interpretation.scalar_names import scalar_names
from lociflow.interpretation.scalars import Scalars, StrandAverage, held_weights, margins, scalar_model
from lociflow.models.checkpoint import LoadedModel
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs
from lociflow.sequence.alphabet import PROTEIN

CLASSES = (("N", "donor", "acceptor"),)


class Says(nn.Module):
    """Says the same of everything, and how many windows there were."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self.raw = raw

    def forward(self, sequence: Any) -> Any:
        return self.raw


def scalars(raw: Any, outputs: Outputs, **contrasts: tuple[str, str]) -> torch.Tensor:
    return Scalars(Says(raw), outputs, contrasts)(torch.zeros(1, 4, 6))


def test_of_binary_labels_the_logit_and_of_real_ones_the_value() -> None:
    for kind in ("binary", "real"):
        outputs = Outputs(kind, ("A", "B"))
        assert scalar_names(outputs) == ("A", "B")
        assert scalars(torch.tensor([[1.0, 4.0]]), outputs).tolist() == [[1.0, 4.0]]


def test_a_contrast_is_one_column_less_another() -> None:
    found = scalars(torch.tensor([[1.0, 4.0]]), Outputs("binary", ("A", "B")), only_b=("B", "A"))
    assert found.tolist() == [[1.0, 4.0, 3.0]]


def test_of_classes_the_margin_to_the_mean_of_the_others() -> None:
    outputs = Outputs("class", ("splice",), CLASSES)
    assert scalar_names(outputs) == ("splice:N", "splice:donor", "splice:acceptor")
    assert scalars(torch.tensor([[1.0, 2.0, 6.0]]), outputs).tolist() == [[-3.0, -1.5, 4.5]]
    assert margins(torch.tensor([0.0, 4.0])).tolist() == [-4.0, 4.0]


def test_along_positions_margins_weigh_as_much_as_the_class_is_probable() -> None:
    outputs = Outputs("position_class", ("splice",), CLASSES, positions=2)
    assert scalar_names(outputs) == ("splice:donor", "splice:acceptor")
    # At the second position the donor is all but certain, so that the first hardly counts.
    raw = torch.tensor([[[100.0, 0.0, 0.0], [0.0, 60.0, 0.0]]])
    donor, acceptor = scalars(raw, outputs)[0].tolist()
    assert donor == pytest.approx(60.0)
    assert acceptor == pytest.approx(-30.0)
    even = torch.zeros(1, 2, 3)
    assert scalars(even, outputs).tolist() == [[0.0, 0.0]]


def test_of_profiles_counts_and_the_shape_weighted_by_itself() -> None:
    outputs = Outputs("profile", ("A",), positions=2)
    assert scalar_names(outputs) == ("A:counts", "A:profile")
    profile = torch.tensor([[[0.0], [2.0]]])
    high = torch.tensor(2.0).sigmoid().item()
    found = scalars(ProfileOutput(profile, torch.tensor([[5.0]])), outputs)[0].tolist()
    assert found == pytest.approx([5.0, high - (1 - high)])


def test_no_gradient_goes_through_the_weights() -> None:
    logits = torch.tensor([[[0.0], [2.0]]], requires_grad=True)
    found = Scalars(Says(ProfileOutput(logits, torch.zeros(1, 1))), Outputs("profile", ("A",), positions=2), {})(
        torch.zeros(1, 4, 2)
    )
    (gradient,) = torch.autograd.grad(found[0, 1], logits)
    weight = torch.tensor([0.0, 2.0]).softmax(0)
    assert gradient[0, :, 0].tolist() == pytest.approx((weight - 0.5).tolist())


def test_positions_have_the_weights_that_are_held() -> None:
    logits = torch.tensor([[[0.0], [2.0]]])
    model = Scalars(Says(ProfileOutput(logits, torch.zeros(1, 1))), Outputs("profile", ("A",), positions=2), {})
    windows = torch.zeros(1, 4, 2)
    (own,) = held_weights(model, windows, 8)
    assert own[0, :, 0].tolist() == pytest.approx(torch.tensor([0.0, 2.0]).softmax(0).tolist())
    assert model(windows, own).tolist() == model(windows).tolist()
    assert model(windows, torch.tensor([[[1.0], [0.0]]]))[0, 1].item() == -1.0


def test_without_weights_nothing_is_held() -> None:
    binary = Scalars(Says(torch.zeros(1, 1)), Outputs("binary", ("A",)), {})
    assert held_weights(binary, torch.zeros(1, 4, 2), 8) == ()
    assert held_weights(StrandAverage(binary), torch.zeros(1, 4, 2), 8) == ()
    assert held_weights(nn.Flatten(), torch.zeros(1, 4, 2), 8) == ()


class CountsOfBases(nn.Module):
    def forward(self, views: Any) -> torch.Tensor:
        return views["sequence"].sum(dim=2)[:, :2]


def loaded(outputs: Outputs, provenance: dict[str, Any] | None = None) -> LoadedModel:
    config = {
        "model": {"name": "toy", "views": ["sequence"], "strand_specific": False},
        "training": {"reverse_complement": {"averaging": True}},
    }
    return LoadedModel(CountsOfBases(), config, outputs, provenance or {})


def test_both_strands_are_averaged_where_predictions_are() -> None:
    model, names = scalar_model(loaded(Outputs("binary", ("A", "C"))))
    sequence = torch.zeros(1, 4, 4)
    sequence[0, 0, :3] = 1
    sequence[0, 2, 3] = 1
    assert names == ("A", "C")
    # AAAG: three A and no C; CTTT on the other strand: no A and one C.
    assert model(sequence).tolist() == [[1.5, 0.5]]


def test_columns_change_places_on_the_other_strand_and_contrasts_with_them() -> None:
    outputs = Outputs("binary", ("plus", "minus"))
    found = loaded(outputs, provenance={"other_strand": [1, 0]})
    model, _ = scalar_model(found, {"forward": ("plus", "minus"), "backward": ("minus", "plus")})
    assert isinstance(model, StrandAverage)
    assert model.order == [1, 0, 3, 2]
    with pytest.raises(UserError, match=r"contrasts\.forward: on the other strand it is minus less plus"):
        scalar_model(found, {"forward": ("plus", "minus")})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"outputs": Outputs("none", ())}, "trained without labels"),
        ({"alphabet": PROTEIN}, "reads protein"),
        ({"config": {"model": {"name": "toy", "views": ["sequence", "mask"]}}}, "reads sequence, mask"),
    ],
)
def test_what_is_no_function_of_dna_alone_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        scalar_model(loaded(Outputs("binary", ("A",)))._replace(**changed))


@pytest.mark.parametrize(
    ("contrasts", "said"),
    [
        ({"A": ("A", "B")}, "A is a column already"),
        ({"x": ("A", "C")}, r"contrasts\.x: found C, expected one of A, B"),
    ],
)
def test_a_bad_contrast_is_refused(contrasts: dict[str, tuple[str, str]], said: str) -> None:
    with pytest.raises(UserError, match=said):
        scalars(torch.zeros(1, 2), Outputs("binary", ("A", "B")), **contrasts)
