"""Models that cannot tell the strands of stranded windows apart."""

import json
from collections.abc import Callable
from pathlib import Path

import planted
import pyarrow.parquet as pq
import pytest
import torch
from planted import Planted
from torch import nn

from lociflow.command import UserError
from lociflow.genome.window_table import METADATA
from lociflow.models.deepsea import DeepSEA
from lociflow.models.equivariant import EquivariantCNN
from lociflow.models.kmer_logistic import KmerLogistic
from lociflow.models.pwm_scanner import PWMScanner
from lociflow.training.checks import TARGETS_HAVE_A_STRAND, WINDOWS_HAVE_A_STRAND, check_strands, why_strands

LENGTH = 60
ALIKE: dict[str, Callable[[], nn.Module]] = {
    "equivariant": lambda: EquivariantCNN(LENGTH, 3, [4], [8], [4], [0.5], hidden=5),
    # As in equivariant_cnn_small: filters that begin as rare detectors.
    "rare": lambda: EquivariantCNN(LENGTH, 3, [4, 5], [8, 3], [4, 2], [0.1, 0.1], hidden=5, initial_threshold=2.0),
    "scanner": lambda: PWMScanner(LENGTH, 3, torch.randn(5, 4, 8)),
    "kmers": lambda: KmerLogistic(LENGTH, 3, k=4),
}
APART: dict[str, Callable[[], nn.Module]] = {
    "deepsea": lambda: DeepSEA(LENGTH, 3, [4], [8], [4], [0.5], hidden=5),
    "kmers of one strand": lambda: KmerLogistic(LENGTH, 3, k=4, both_strands=False),
}


def check(model: nn.Module, channels: int = 4) -> None:
    check_strands(model, "tiny", ["sequence"], LENGTH, channels, WINDOWS_HAVE_A_STRAND)


@pytest.mark.parametrize("name", ALIKE)
def test_a_model_of_both_strands_is_refused(name: str) -> None:
    torch.manual_seed(0)
    model = ALIKE[name]()
    weights = {part: tensor.clone() for part, tensor in model.state_dict().items()}
    with pytest.raises(UserError, match="model tiny: says the same of a sequence and of its reverse complement"):
        check(model)
    check_strands(model, "tiny", ["sequence", "control"], LENGTH, 4, WINDOWS_HAVE_A_STRAND)
    assert model.training
    assert all(torch.equal(tensor, weights[part]) for part, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("stranded", "order", "why"),
    [
        (True, None, WINDOWS_HAVE_A_STRAND),
        (False, None, None),
        (False, [1, 0, 2], TARGETS_HAVE_A_STRAND),
        # An unstranded track of a data set whose other tracks are pairs.
        (False, [0], None),
    ],
)
def test_strands_are_told_apart_where_windows_or_targets_have_one(
    stranded: bool, order: list[int] | None, why: str | None
) -> None:
    assert why_strands(stranded, order) == why


@pytest.mark.parametrize("name", APART)
def test_a_model_of_one_strand_is_not(name: str) -> None:
    model = APART[name]()
    drawn = torch.get_rng_state()
    check(model)
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_model_that_says_nothing_of_any_sequence_is_not_judged() -> None:
    model = APART["deepsea"]()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    check(model)


def test_only_windows_with_a_strand_ask_for_one(fit: Callable[..., Path], data: Planted, tmp_path: Path) -> None:
    table = pq.read_table(data.windows)
    about = json.loads(table.schema.metadata[METADATA])
    about["labels"]["stranded"] = True
    path = tmp_path / "stranded.parquet"
    pq.write_table(table.replace_schema_metadata({METADATA: json.dumps(about)}), path)
    stranded = data._replace(windows=path)
    model = {"architecture": {"_target_": "lociflow.models.kmer_logistic.KmerLogistic", "k": 3}}
    fit("plain", max_epochs=0, model=model)
    fit("other", max_epochs=0, on=stranded)
    with pytest.raises(UserError, match="expected a model that tells strands apart, as the windows of this data set"):
        fit("wrong", max_epochs=0, on=stranded, model=model)
    assert planted.CONFIG["model"]["architecture"]["_target_"].endswith("DeepSEA")
