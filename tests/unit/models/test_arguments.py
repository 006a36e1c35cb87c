"""What an architecture is asked for and cannot be: one sentence that names the argument."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from lociflow.command import UserError
from lociflow.models.arguments import check_at_least, check_layers, check_odd
from lociflow.models.attention import AttentionPoolNetwork
from lociflow.models.autoencoder import Autoencoder
from lociflow.models.basenji import Basenji
from lociflow.models.basset import Basset
from lociflow.models.beluga import Beluga
from lociflow.models.biren import BiRen
from lociflow.models.bpnet import BPNet
from lociflow.models.danq import DanQ
from lociflow.models.danq_jaspar import DanQJaspar
from lociflow.models.deepbind import DeepBind
from lociflow.models.deeperbind import DeeperBind
from lociflow.models.deepsea import DeepSEA
from lociflow.models.deepstarr import DeepSTARR
from lociflow.models.enformer import Enformer
from lociflow.models.equivariant import EquivariantCNN
from lociflow.models.hyena import HyenaEncoder
from lociflow.models.language_model import LanguageModel
from lociflow.models.recurrent import RecurrentNetwork
from lociflow.models.resnet import ResNet
from lociflow.models.spliceai import SpliceAI
from lociflow.models.tokens import Nucleotides
from lociflow.models.transformer import TransformerEncoder
from lociflow.models.zeng import Zeng

REFUSED: list[tuple[Callable[[], nn.Module], str]] = [
    (lambda: Zeng(60, 1, [6, 7], [8, 3], [0, 4]), r"pools: found \[0, 4\], expected 0, .* last place alone"),
    (lambda: Zeng(60, 1, [6], [8], [-1]), "pool: found -1, expected at least 1"),
    (lambda: Zeng(60, 1, [6], [0], [4]), "kernel: found 0, expected at least 1"),
    (lambda: DanQ(60, 1, pool=0), "pool: found 0, expected at least 1"),
    (lambda: DeepSEA(60, 1, [6], [0], [1], [0.0]), "kernel: found 0, expected at least 1"),
    (lambda: DeepSEA(60, 1, [0], [8], [1], [0.0]), "filters: found 0, expected at least 1"),
    (lambda: Basenji(60, 1, [6, 7], [8, 3], [4, 0]), "pools: found 0, expected at least 1"),
    (lambda: BPNet(60, 1, 60, control=1, control_window=0), "control_window: found 0, expected at least 1"),
    (lambda: BiRen(60, 1, 20, 0), "step: found 0, expected at least 1"),
    (lambda: SpliceAI(60, 3, 10, units_per_block=0), "units_per_block: found 0, expected at least 1"),
    (lambda: RecurrentNetwork(60, 1, layers=0), "layers: found 0, expected at least 1"),
    (lambda: TransformerEncoder(8, 1, 0), "heads: found 0, expected at least 1"),
    (lambda: Enformer(60, 3, [8, 12], [7, 3], [4, 2], 2, 0, 4, 12), "heads: found 0, expected at least 1"),
    (lambda: Enformer(60, 3, [8, 12], [7, 3], [4, 2], 2, 3, 4, 0), "functions: found 0, expected a multiple of 6"),
    (lambda: HyenaEncoder(8, 1, reach=0), "reach: found 0, expected at least 1"),
    (lambda: DeeperBind(60, 1, units=[]), "found 0 units, expected one number of each per layer"),
    (lambda: ResNet(60, 1, []), "found 0 filters, expected one number of each per layer"),
    (lambda: ResNet(60, 1, kernel=4), "kernel: found 4, expected an odd number"),
    (lambda: SpliceAI(60, 3, 10, kernels=[11, 4], dilations=[1, 1]), "kernels: found 4, expected an odd number"),
    (lambda: ResNet(60, 1, pooling=["mean"]), r"pooling: found \['mean'\], expected a list of max, average"),
    (lambda: DeepBind(60, 1, pooling="max"), "pooling: found max, expected a list of max, average"),
    (lambda: DanQJaspar(60, 1, 6, motifs=7), "filters: found 6, expected at least 7"),
    (lambda: DanQJaspar(60, 1, 6, 6, motifs=2), "kernel: found 6, expected at least 7"),
    (lambda: DanQJaspar(60, 1, channels=20), "20 letters, expected the 4 bases of DNA for DanQ-JASPAR"),
    (
        lambda: LanguageModel(60, 1, Nucleotides(), TransformerEncoder(8, 1, 2), channels=20),
        "20 letters, expected the 4 bases of DNA for a language model",
    ),
]


@pytest.mark.parametrize(("build", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_cannot_be_is_refused(build: Callable[[], nn.Module], told: str) -> None:
    with pytest.raises(UserError, match=rf"^model\.architecture.*{told}"):
        build()


@pytest.mark.parametrize(
    "architecture",
    [
        AttentionPoolNetwork,
        Autoencoder,
        Basenji,
        Basset,
        Beluga,
        DeepSEA,
        DeepSTARR,
        EquivariantCNN,
        Enformer,
        Zeng,
    ],
)
def test_lists_have_a_number_for_each_layer(architecture: Callable[..., nn.Module]) -> None:
    # Beside the default pools, and dropouts, of another number.
    with pytest.raises(UserError, match=r"model.architecture: found 9 filters, 9 kernels, . pools"):
        architecture(600, 1, filters=[6] * 9, kernels=[3] * 9)
    with torch.device("meta"), pytest.raises(UserError, match="found 2 kernels, 3 dilations"):
        SpliceAI(600, 3, 10, kernels=[3, 3], dilations=[1, 1, 1])


def test_what_can_be_passes() -> None:
    check_at_least(1, pool=1, kernel=9)
    check_odd(kernel=1, second_kernel=9)
    check_layers(filters=[6, 7], kernels=(8, 3))
