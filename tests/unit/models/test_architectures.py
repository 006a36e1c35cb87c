"""What holds for every architecture; one more line in a file of architecture_cases is all that a new one needs."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.danq import DanQ
from lociflow.models.deepbind import DeepBind
from lociflow.models.deepsea import DeepSEA
from lociflow.models.heads import output_layer
from lociflow.models.layers import count_parameters
from lociflow.models.sequence_only import SequenceModel

CASES: dict[str, Callable[[int, int], nn.Module]] = {
    "deepbind": lambda length, targets: DeepBind(length, targets, detectors=6, kernel=9, hidden=5),
    "deepbind_max_average": lambda length, targets: DeepBind(length, targets, 6, 9, ["max", "average"], hidden=0),
    "deepsea": lambda length, targets: DeepSEA(length, targets, [6, 7], [8, 3], [4, 2], [0.1, 0.0], hidden=5),
    "deepsea_batch_norm": lambda length, targets: DeepSEA(
        length, targets, [6, 7], [8, 3], [4, 2], [0.1, 0.0], hidden=5, batch_norm=True, initial_threshold=1.0
    ),
    "danq": lambda length, targets: DanQ(length, targets, 6, 8, 4, 5, 7),
}


for path in sorted((Path(__file__).parent / "architecture_cases").glob("*.py")):
    specification = importlib.util.spec_from_file_location(f"architecture_cases_{path.stem}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    CASES |= module.CASES


def sequence(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 4, (batch, length), generator=generator)
    return nn.functional.one_hot(codes, 4).float().transpose(1, 2)


@pytest.fixture(params=CASES)
def build(request: pytest.FixtureRequest) -> Callable[[int, int], nn.Module]:
    return CASES[request.param]


@pytest.mark.parametrize("length", [60, 61])
def test_logits_have_a_column_per_target(build: Callable[[int, int], nn.Module], length: int) -> None:
    model = build(length, 3)
    assert model({"sequence": sequence(5, length)}).shape == (5, 3)
    assert output_layer(model).out_features == 3


def test_another_length_is_refused(build: Callable[[int, int], nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"expected \(batch, 4, 60\)"):
        build(60, 3)({"sequence": sequence(5, 59)})


def test_a_batch_does_not_change_its_samples(build: Callable[[int, int], nn.Module]) -> None:
    model = SequenceModel(build(60, 3)).eval()
    batch = sequence(5, 60)
    torch.testing.assert_close(model(batch)[2:3], model(batch[2:3]))


def test_every_trained_parameter_gets_a_gradient(build: Callable[[int, int], nn.Module]) -> None:
    torch.manual_seed(0)
    model = build(60, 3)
    model({"sequence": sequence(64, 60)}).pow(2).sum().backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_one_step_lowers_the_loss(build: Callable[[int, int], nn.Module]) -> None:
    torch.manual_seed(0)
    model = SequenceModel(build(60, 3)).eval()
    optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=0.01)
    batch, labels = sequence(64, 60), torch.ones(64, 3)
    losses = []
    for _ in range(2):
        loss = nn.functional.binary_cross_entropy_with_logits(model(batch), labels)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[1] < losses[0]


def test_weights_come_from_the_seed(build: Callable[[int, int], nn.Module]) -> None:
    def state(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(build(60, 3).parameters())

    assert torch.equal(state(1), state(1))
    assert not torch.equal(state(1), state(2))


def test_nonlinear_modules_are_used_once(build: Callable[[int, int], nn.Module]) -> None:
    # Attribution by DeepLIFT hooks modules and goes wrong without a sound where one is shared.
    model, uses = build(60, 3), list[nn.Module]()
    for module in model.modules():
        if isinstance(module, nn.ReLU | nn.MaxPool1d):
            module.register_forward_hook(lambda module, *_: uses.append(module))
    model({"sequence": sequence(2, 60)})
    assert uses
    assert len(uses) == len(set(uses))


def ambiguous(length: int) -> torch.Tensor:
    """Windows of known bases, with unknown ones at an end and inside, with IUPAC letters, of N alone, of R alone."""
    batch = sequence(5, length)
    batch[0, :, : length // 3] = 0
    batch[1, :, [length // 2, length - 1]] = 0
    batch[2, :, ::3] = torch.tensor([0.5, 0.0, 0.5, 0.0])[:, None]
    batch[2, :, 1::3] = torch.tensor([0.0, 1 / 3, 1 / 3, 1 / 3])[:, None]
    batch[3] = 0
    batch[4] = torch.tensor([0.5, 0.0, 0.5, 0.0])[:, None]
    return batch


@pytest.mark.parametrize("training", [False, True], ids=["prediction", "training"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_unknown_bases_and_mixed_precision_give_numbers(
    build: Callable[[int, int], nn.Module], precision: torch.dtype, training: bool
) -> None:
    torch.manual_seed(0)
    model = build(60, 3).train(training)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        outputs = model({"sequence": ambiguous(60)})
    assert outputs.shape == (5, 3)
    assert outputs.isfinite().all()
    outputs.float().square().sum().backward()
    assert all(one.grad is None or one.grad.isfinite().all() for one in model.parameters())


def test_mixed_precision_is_near_the_full(build: Callable[[int, int], nn.Module]) -> None:
    torch.manual_seed(0)
    model = SequenceModel(build(60, 3)).eval()
    batch = sequence(16, 60)
    full = model(batch).detach()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model(batch)
    # Eight bits tell numbers apart by 0.4 %, and a few layers add that up.
    torch.testing.assert_close(mixed.float(), full, rtol=0.05, atol=0.05 * float(full.abs().max()))


@pytest.mark.parametrize("name", ["deepsea", "danq"])
def test_a_window_too_short_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"model.input_length: 9 bases are too short"):
        CASES[name](9, 3)


PUBLISHED = [
    # 4*24*16+16, 16*32+32, 32+1
    (lambda: DeepBind(101, 1), 1_552 + 544 + 33, 0),
    # maximum and average: 32*32+32
    (lambda: DeepBind(101, 1, pooling=["max", "average"]), 1_552 + 1_056 + 33, 0),
    # 4*8*320+320, 320*8*480+480, 480*8*960+960, 53*960*925+925, 925*919+919
    (lambda: DeepSEA(1000, 919), 10_560 + 1_229_280 + 3_687_360 + 47_064_925 + 850_994, 0),
    # 4*26*320+320, 2*4*(320*320+320*320+320), 75*640*925+925, 925*919+919; torch's second bias is 2*4*320
    (lambda: DanQ(1000, 919), 33_600 + 1_640_960 + 44_400_925 + 850_994, 2_560),
]


@pytest.mark.parametrize(("model", "trained", "held"), PUBLISHED, ids=["deepbind", "deepbind_rna", "deepsea", "danq"])
def test_parameters_are_those_of_the_published_table(model: Callable[[], nn.Module], trained: int, held: int) -> None:
    with torch.device("meta"):
        built = model()
    assert count_parameters(built) == trained
    assert sum(parameter.numel() for parameter in built.parameters()) == trained + held


def test_published_totals() -> None:
    assert [trained for _, trained, _ in PUBLISHED] == [2_129, 2_641, 52_843_119, 46_926_479]


@pytest.mark.parametrize("architecture", [DeepBind, DeepSEA, DanQ])
def test_proteins_have_twenty_channels(architecture: Callable[..., nn.Module]) -> None:
    with torch.device("meta"):
        bases, residues = architecture(1000, 2), architecture(1000, 2, channels=20)
    kernel, filters = {DeepBind: (24, 16), DeepSEA: (8, 320), DanQ: (26, 320)}[architecture]  # type: ignore[index]
    assert count_parameters(residues) - count_parameters(bases) == 16 * kernel * filters
    small = architecture(1000, 2, channels=20, initial_threshold=1.0).eval()
    assert small({"sequence": torch.rand(1, 20, 1000)}).shape == (1, 2)
    with pytest.raises(ValueError, match=r"expected \(batch, 20, 1000\)"):
        small({"sequence": torch.rand(1, 4, 1000)})
