import numpy as np
import torch
from torch import Tensor, nn

from lociflow.interpretation.motifs.filter_influence import filter_influence, filter_table, mean_activations, scorer
from lociflow.models.outputs import Outputs
from lociflow.models.strand_pairs import PairedConvolution
from lociflow.sequence.alphabet import encode

CPU = torch.device("cpu")


class Counts(nn.Module):
    """Counts As with the first filter, Cs with the second; the first scalar is twice the As and the Cs, the other 0."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv1d(4, 2, 1, bias=False)
        with torch.no_grad():
            self.filters.weight.zero_()
            self.filters.weight[0, 0] = self.filters.weight[1, 1] = 1

    def forward(self, sequence: Tensor) -> Tensor:
        found = self.filters(sequence).relu().sum(dim=2)
        return torch.stack([2 * found[:, 0] + found[:, 1], torch.zeros(len(found))], dim=1)


def nothing(scalars: np.ndarray) -> float | None:
    return None


def test_by_hand() -> None:
    # 4, 2 and 0 As of 4: the mean activation is 1/2, which makes 4 of the first scalar; no C, so no change.
    codes = np.stack([encode("AAAA"), encode("AGAT"), encode("GTGT")])
    model = Counts().eval()
    found = filter_influence(model, model.filters, 2, codes, lambda scalars: float(scalars[0, 0]), CPU)
    assert found is not None
    np.testing.assert_allclose(found.change, [[(4 + 0 + 4) / 3, 0], [0, 0]])
    np.testing.assert_allclose(found.score, [8 - 4, 0])
    np.testing.assert_allclose(model(torch.eye(4)[None]).detach()[0, 0], 3)


def test_mean_activations_are_of_what_is_positive() -> None:
    layer = nn.Conv1d(4, 1, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([2.0, -5.0, 0, 0])[None, :, None])
    means = mean_activations(layer, layer, np.stack([encode("ACGT"), encode("AACC")]), CPU)
    assert means is not None
    np.testing.assert_allclose(means.numpy(), [3 * 2 / 8])


def test_a_filter_on_both_strands_is_one() -> None:
    layer = PairedConvolution(4, 2, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0] = 1

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, sequence: Tensor) -> Tensor:
            return self.layer(sequence).relu().sum(dim=(1, 2))[:, None]

    # The first filter's twin counts Ts: the scalars are 4, 1 and 1, with the means 2 in all three.
    codes = np.stack([encode("AATT"), encode("AGGG"), encode("TGGG")])
    found = filter_influence(Sum(), layer, 2, codes, nothing, CPU)
    assert found is not None
    np.testing.assert_allclose(found.change, [[(2 + 1 + 1) / 3], [0]], atol=1e-6)
    assert np.isnan(found.score).all()


def test_a_layer_that_is_not_called_has_no_influence() -> None:
    assert filter_influence(Counts(), nn.Conv1d(4, 2, 1), 2, encode("ACGT")[None], nothing, CPU) is None


def test_scores_by_kind_of_labels() -> None:
    scalars = np.array([[3.0, 0], [2, 0], [1, 0]])
    binary = scorer(Outputs("binary", ("A", "B")), np.array([[1, -1], [1, -1], [0, -1]], dtype=np.int8))
    assert binary(scalars) == 1
    assert binary(-scalars) == 0
    real = scorer(Outputs("real", ("A", "B")), np.array([[1, np.nan], [0, 1], [-1, 2]], dtype=np.float32))
    assert real(scalars) == 1
    classes = scorer(Outputs("class", ("A",), (("x", "y"),)), np.array([[0], [0], [1]], dtype=np.int16))
    assert classes(np.stack([scalars[:, 0], scalars[:, 0]], axis=1)) == 0.5
    assert scorer(Outputs("profile", ("A",), (), 2), np.zeros((3, 2, 1)))(scalars) is None
    assert scorer(Outputs("binary", ("A",)), np.ones((3, 1), dtype=np.int8))(scalars) is None


def test_the_table_without_influence_has_empty_columns() -> None:
    assert filter_table([], None, ()).columns[-2:].tolist() == ["influence", "score_change"]
