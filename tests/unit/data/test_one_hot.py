import numpy as np
import torch

from lociflow.data.one_hot import OneHot, reverse_complement_one_hot
from lociflow.sequence.alphabet import LETTERS, PROTEIN, SOFT_MASK, encode, reverse_complement
from lociflow.sequence.one_hot import one_hot


def test_agrees_with_numpy_for_every_letter() -> None:
    codes = np.stack([encode(LETTERS), encode(LETTERS) | SOFT_MASK])
    expanded = OneHot().expand(torch.from_numpy(codes))
    assert expanded.dtype == torch.float32
    assert expanded.is_contiguous()
    np.testing.assert_array_equal(expanded.numpy(), one_hot(codes))
    assert not expanded[:, :, LETTERS.index("N")].any()


def test_reverse_complement_is_that_of_the_codes() -> None:
    codes = np.random.default_rng(0).integers(0, len(LETTERS), (5, 31), dtype=np.uint8)
    expanded = OneHot().expand(torch.from_numpy(codes))
    reversed_codes = torch.from_numpy(np.ascontiguousarray(reverse_complement(codes)))
    assert torch.equal(reverse_complement_one_hot(expanded), OneHot().expand(reversed_codes))
    assert torch.equal(reverse_complement_one_hot(reverse_complement_one_hot(expanded)), expanded)


def test_other_views_pass_and_no_state_is_kept() -> None:
    module, signal = OneHot(), torch.rand(2, 3, 7)
    views = module({"sequence": torch.zeros(2, 7, dtype=torch.uint8), "signal": signal})
    assert views["signal"] is signal
    assert views["sequence"].shape == (2, 4, 7)
    assert not module.state_dict()


def test_proteins_have_twenty_channels_and_masks_pass() -> None:
    codes, mask = encode(PROTEIN.letters, alphabet=PROTEIN)[None], torch.ones(1, 26, dtype=torch.bool)
    views = OneHot(PROTEIN)({"sequence": torch.from_numpy(codes), "mask": mask})
    np.testing.assert_array_equal(views["sequence"].numpy(), one_hot(codes, PROTEIN))
    assert views["sequence"].shape == (1, 20, 26)
    assert views["mask"] is mask
