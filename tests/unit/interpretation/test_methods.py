import functools
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from tangermeme.deep_lift_shap import deep_lift_shap as tangermeme_deep_lift_shap
from tangermeme.saturation_mutagenesis import saturation_mutagenesis as tangermeme_saturation_mutagenesis
from torch import nn

from lociflow.interpretation.methods import (
    deep_lift_shap,
    differentiable,
    input_x_gradient,
    integrated_gradients,
    occlusion,
    saliency,
    saturation_mutagenesis,
)
from lociflow.interpretation.references import dinucleotide_shuffled, zeros
from lociflow.interpretation.scalars import Scalars, StrandAverage, held_weights
from lociflow.models.heads import ProfileOutput
from lociflow.models.outputs import Outputs
from lociflow.sequence.one_hot import one_hot

LENGTH = 40
CODES = np.random.default_rng(1).integers(0, 4, (7, LENGTH)).astype(np.uint8)
WINDOWS = torch.from_numpy(one_hot(CODES))
BINS = np.arange(100, 107)
SHUFFLED = functools.partial(dinucleotide_shuffled, shuffles=3)

METHODS = [
    pytest.param(input_x_gradient, {}, id="input_x_gradient"),
    pytest.param(integrated_gradients, {"references": SHUFFLED}, id="integrated_gradients"),
    pytest.param(deep_lift_shap, {"references": SHUFFLED}, id="deep_lift_shap"),
    pytest.param(saturation_mutagenesis, {}, id="saturation_mutagenesis"),
    pytest.param(saliency, {}, id="saliency"),
    pytest.param(occlusion, {"references": SHUFFLED}, id="occlusion"),
]
SIGNED_BASES = METHODS[:4]


class Linear(nn.Module):
    """Logits are weights times input, summed."""

    def __init__(self) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(torch.randn(2, 4, LENGTH, generator=draws))

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ncl,tcl->nt", sequence, self.weight)


def convolutional() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv1d(4, 6, 5), nn.ReLU(), nn.MaxPool1d(4), nn.Flatten(), nn.Linear(54, 8), nn.ReLU(), nn.Linear(8, 2)
    ).eval()


@pytest.mark.parametrize(("method", "arguments"), SIGNED_BASES)
def test_a_linear_models_hypothetical_contributions_are_its_weights(method: Any, arguments: dict[str, Any]) -> None:
    model = Linear()
    found = method(model, WINDOWS, 1, BINS, 5, **arguments).hypothetical
    weight = model.weight[1].detach()
    centred = (weight - weight.mean(dim=0)).expand_as(found)
    # References set the level of each position, and leave the differences between its bases.
    torch.testing.assert_close(found - found.mean(dim=1, keepdim=True), centred, atol=1e-5, rtol=1e-5)


def test_a_linear_models_attribution_is_its_weights_times_the_input() -> None:
    model = Linear()
    found = integrated_gradients(model, WINDOWS, 0, BINS, 5, references=zeros)
    torch.testing.assert_close(found.hypothetical * WINDOWS, model.weight[0].detach() * WINDOWS)
    torch.testing.assert_close(found.gap, torch.zeros(7), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.change, model(WINDOWS)[:, 0].detach().abs())


def test_the_gradient_is_corrected_for_the_simplex() -> None:
    model = convolutional()
    windows = WINDOWS.clone().requires_grad_()
    model(windows)[:, 1].sum().backward()
    assert windows.grad is not None
    found = input_x_gradient(model, WINDOWS, 1, BINS, 5)
    torch.testing.assert_close(found.hypothetical, windows.grad - windows.grad.mean(dim=1, keepdim=True))
    torch.testing.assert_close(found.hypothetical.sum(dim=1), torch.zeros(7, LENGTH), atol=1e-6, rtol=0)
    assert found.gap.isnan().all()


def test_saliency_is_the_absolute_corrected_gradient_of_captum() -> None:
    model = convolutional()
    gradient = Saliency(model).attribute(WINDOWS.clone(), target=1, abs=False)
    expected = (gradient - gradient.mean(dim=1, keepdim=True)).abs()
    found = saliency(model, WINDOWS, 1, BINS, 5)
    torch.testing.assert_close(found.hypothetical, expected)
    assert found.gap.isnan().all()
    weight = Linear().weight[0].detach()
    linear = saliency(Linear(), WINDOWS, 0, BINS, 5).hypothetical
    torch.testing.assert_close(linear, (weight - weight.mean(dim=0)).abs().expand_as(linear))


def test_occlusion_equals_captums_and_losses_by_hand() -> None:
    model = convolutional()
    expected = Occlusion(model).attribute(WINDOWS, (4, 6), (4, 3), baselines=0, target=1)
    found = occlusion(model, WINDOWS, 1, BINS, 5, references=zeros, window=6, stride=3).hypothetical
    torch.testing.assert_close(found, expected * WINDOWS)
    # Base 4 is covered by the stretches that begin at 0 and at 3.
    losses = []
    for start in (0, 3):
        without = WINDOWS[:1].clone()
        without[:, :, start : start + 6] = 0
        losses.append((model(WINDOWS[:1]) - model(without))[0, 1].item())
    assert (found[0] * WINDOWS[0]).sum(dim=0)[4].item() == pytest.approx(np.mean(losses), abs=1e-6)


def test_a_linear_models_occlusion_of_single_bases_is_its_weights() -> None:
    model = Linear()
    found = occlusion(model, WINDOWS, 1, BINS, 5, references=zeros, window=1, stride=1).hypothetical
    torch.testing.assert_close(found, model.weight[1].detach() * WINDOWS, atol=1e-5, rtol=1e-4)
    # Against shuffles a base contributes what it has more than those that take its place.
    shuffles = SHUFFLED(WINDOWS, BINS, 5)
    more = ((WINDOWS[:, None] - shuffles) * model.weight[1].detach()).sum(dim=2).mean(dim=1)
    found = occlusion(model, WINDOWS, 1, BINS, 5, references=SHUFFLED, window=1, stride=1).hypothetical
    torch.testing.assert_close(found.sum(dim=1), more, atol=1e-5, rtol=1e-4)


class Along(nn.Module):
    """A linear model with an answer at every base."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self.outputs = outputs
        torch.manual_seed(1)
        self.filters = nn.Conv1d(4, 3 if outputs.classes else 1, 9, padding=4)
        with torch.no_grad():
            self.filters.weight.normal_(0, 0.5)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor | ProfileOutput:
        found = self.filters(sequence).transpose(1, 2)
        return found if self.outputs.classes else ProfileOutput(found, found.sum(dim=1))


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param(Outputs("profile", ("T",), (), LENGTH), id="profile"),
        pytest.param(Outputs("position_class", ("T",), (("N", "donor", "acceptor"),), LENGTH), id="position_class"),
    ],
)
@pytest.mark.parametrize("averaging", [False, True])
@pytest.mark.parametrize(("method", "batch_size"), [(integrated_gradients, 32), (deep_lift_shap, 5)])
def test_of_a_linear_model_outputs_with_weights_add_up_to_those_with_the_windows_weights(
    method: Any, batch_size: int, averaging: bool, outputs: Outputs
) -> None:
    scalars = Scalars(Along(outputs), outputs, {})
    model = (StrandAverage(scalars) if averaging else scalars).eval()
    found = method(model, WINDOWS, 1, BINS, 5, references=SHUFFLED, batch_size=batch_size)
    assert (found.gap.mean() / found.change.mean()).item() == pytest.approx(0, abs=1e-5)
    references = SHUFFLED(WINDOWS, BINS, 5)
    (weights,) = held_weights(model, WINDOWS, 8)
    with torch.no_grad():
        held = torch.stack([model(references[:, number], weights)[:, 1] for number in range(3)], dim=1)
        change = model(WINDOWS)[:, 1:2] - held
    torch.testing.assert_close(found.change, change.abs().mean(dim=1))
    torch.testing.assert_close((found.hypothetical * WINDOWS).sum(dim=(1, 2)), change.mean(dim=1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("method", "arguments"), METHODS)
def test_what_leaves_the_simplex_contributes_nothing(method: Any, arguments: dict[str, Any]) -> None:
    class Slanted(nn.Module):
        """The same answer to every sequence, with a gradient across the simplex."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = convolutional()
            self.slope = nn.Parameter(torch.linspace(-3, 3, LENGTH))

        def forward(self, sequence: torch.Tensor) -> torch.Tensor:
            return self.inner(sequence) + (sequence.sum(dim=1) * self.slope).sum(dim=1, keepdim=True)

    expected = method(convolutional(), WINDOWS, 1, BINS, 5, **arguments).hypothetical
    found = method(Slanted(), WINDOWS, 1, BINS, 5, **arguments).hypothetical
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize(("method", "arguments"), METHODS)
def test_a_planted_motif_comes_back(method: Any, arguments: dict[str, Any]) -> None:
    word = torch.tensor([0, 2, 3, 0, 1, 2])
    model = nn.Sequential(nn.Conv1d(4, 1, 6), nn.ReLU(), nn.MaxPool1d(LENGTH - 5), nn.Flatten()).eval()
    with torch.no_grad():
        model[0].weight.copy_(nn.functional.one_hot(word, 4).T[None].float())
        model[0].bias.fill_(-3.5)
    windows = WINDOWS.clone()
    windows[:, :, 17:23] = nn.functional.one_hot(word, 4).T.float()
    found = method(model, windows, 0, BINS, 5, **arguments).hypothetical
    observed = (found * windows).sum(dim=1)
    assert (observed[:, 17:23] > 0).all()
    # A stretch of eight that covers a base of the motif covers up to seven beside it.
    far = torch.cat([observed[:, :10], observed[:, 30:]], dim=1)
    assert far.abs().mean() < observed[:, 17:23].mean() / 4
    if method in (input_x_gradient, integrated_gradients, deep_lift_shap, saturation_mutagenesis):
        assert torch.equal(found[:, :, 17:23].mean(dim=0).argmax(dim=0), word)


def test_the_fast_way_of_mutagenesis_gives_the_same() -> None:
    slow = saturation_mutagenesis(convolutional(), WINDOWS[:2], 1, BINS[:2], 5).hypothetical
    fast = saturation_mutagenesis(convolutional(), WINDOWS[:2], 1, BINS[:2], 5, fast=True).hypothetical
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-4)


def test_integrated_gradients_equal_captums() -> None:
    model = convolutional()
    expected = IntegratedGradients(model).attribute(WINDOWS, target=1, n_steps=16, method="gausslegendre").float()
    found = integrated_gradients(model, WINDOWS, 1, BINS, 5, references=zeros, steps=16)
    torch.testing.assert_close(found.hypothetical * WINDOWS, expected)
    shuffles = SHUFFLED(WINDOWS, BINS, 5)
    against = torch.stack(
        [
            IntegratedGradients(model)
            .attribute(WINDOWS, shuffles[:, number], target=1, n_steps=16, method="gausslegendre")
            .float()
            for number in range(3)
        ]
    )
    found = integrated_gradients(model, WINDOWS, 1, BINS, 5, references=SHUFFLED, steps=16)
    # captum counts a base that is lost at the base that was there; the sums over a position are the same.
    torch.testing.assert_close((found.hypothetical * WINDOWS).sum(dim=1), against.mean(dim=0).sum(dim=1))


def test_integrated_gradients_completeness_improves_with_steps() -> None:
    model = convolutional()
    gaps = [
        float(integrated_gradients(model, WINDOWS, 0, BINS, 5, references=SHUFFLED, steps=steps).gap.mean())
        for steps in (2, 200)
    ]
    assert gaps[1] < gaps[0] / 5


def test_deep_lift_shap_equals_tangermemes_and_converges() -> None:
    model = convolutional()
    references = SHUFFLED(WINDOWS, BINS, 5)
    expected = tangermeme_deep_lift_shap(
        model, WINDOWS, target=1, references=references, hypothetical=True, device="cpu"
    )
    found = deep_lift_shap(model, WINDOWS, 1, BINS, 5, references=SHUFFLED)
    torch.testing.assert_close(found.hypothetical, expected)
    assert float(found.gap.max()) < 1e-5
    change = (model(WINDOWS)[:, None, 1] - model(references.flatten(0, 1))[:, 1].unflatten(0, (7, 3))).detach()
    torch.testing.assert_close(found.change, change.abs().mean(dim=1))


def test_deep_lift_shap_predicts_nothing_twice() -> None:
    model, sizes = convolutional(), []
    handle = model.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    deep_lift_shap(model, WINDOWS, 1, BINS, 5, references=SHUFFLED, batch_size=8)
    # Seven windows, three references each: 21 pairs in passes of 8.
    assert sizes == [16, 16, 10]
    handle.remove()
    assert not model._forward_hooks


def test_deep_lift_shap_reports_an_operation_without_a_rule() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = convolutional()

        def forward(self, sequence: torch.Tensor) -> torch.Tensor:
            return torch.exp(3 * self.inner(sequence))

    found = deep_lift_shap(Hidden(), WINDOWS, 1, BINS, 5, references=SHUFFLED)
    assert float(found.gap.mean() / found.change.mean()) > 0.01


def test_saturation_mutagenesis_equals_tangermemes_and_substitutions_by_hand() -> None:
    model = convolutional()
    found = saturation_mutagenesis(model, WINDOWS[:2], 1, BINS[:2], 5).hypothetical
    expected = tangermeme_saturation_mutagenesis(model, WINDOWS[:2], target=1, hypothetical=True, device="cpu")
    torch.testing.assert_close(found, expected)
    edited = WINDOWS[:1].repeat(4, 1, 1)
    edited[:, :, 11] = torch.eye(4)
    outputs = model(edited)[:, 1].detach()
    torch.testing.assert_close(found[0, :, 11], outputs - outputs.mean())


@pytest.mark.parametrize(("method", "arguments"), METHODS)
def test_batches_and_other_windows_change_nothing(method: Any, arguments: dict[str, Any]) -> None:
    model = convolutional()
    together = method(model, WINDOWS, 1, BINS, 5, **arguments)
    small = method(model, WINDOWS, 1, BINS, 5, **arguments, batch_size=3)
    part = method(model, WINDOWS[2:5], 1, BINS[2:5], 5, **arguments)
    for one, other, some in zip(together, small, part, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5, equal_nan=True)
        torch.testing.assert_close(one[2:5], some, atol=1e-6, rtol=1e-5, equal_nan=True)


@pytest.mark.parametrize(("method", "arguments"), METHODS)
def test_a_second_call_gives_the_same_bits_and_leaves_the_model_alone(method: Any, arguments: dict[str, Any]) -> None:
    model = convolutional()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first = method(model, WINDOWS, 0, BINS, 5, **arguments).hypothetical
    assert torch.equal(first, method(model, WINDOWS, 0, BINS, 5, **arguments).hypothetical)
    assert first.dtype == torch.float32
    assert not model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.inner, self.outer = nn.LSTM(4, 3, batch_first=True, bidirectional=True), nn.Linear(6 * LENGTH, 2)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        return self.outer(self.inner(sequence.transpose(1, 2))[0].flatten(1))


def test_gradients_of_recurrent_models_alone_do_without_cudnn() -> None:
    with differentiable(Recurrent()):
        assert not torch.backends.cudnn.enabled
    with differentiable(convolutional()):
        assert torch.backends.cudnn.enabled
    assert torch.backends.cudnn.enabled


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
@pytest.mark.parametrize(("method", "arguments"), METHODS[:2])
def test_recurrent_models_are_explained_on_a_gpu(method: Any, arguments: dict[str, Any]) -> None:
    model = Recurrent().eval()
    expected = method(model, WINDOWS, 1, BINS, 5, **arguments).hypothetical
    found = method(model.to("cuda"), WINDOWS, 1, BINS, 5, **arguments).hypothetical
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_deep_lift_shap_works_where_deterministic_algorithms_are_asked_for_and_leaves_them_so() -> None:
    expected = deep_lift_shap(convolutional(), WINDOWS, 1, BINS, 5, references=SHUFFLED)
    torch.use_deterministic_algorithms(True)
    try:
        found = deep_lift_shap(convolutional(), WINDOWS, 1, BINS, 5, references=SHUFFLED)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    torch.testing.assert_close(found.hypothetical, expected.hypothetical)
