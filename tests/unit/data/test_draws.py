import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lociflow.data import draws
from lociflow.data.draws import Purpose, epoch_order, jitter_shifts, permuted_rows, reverse_flags, stream, torch_seed


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**63), epoch=st.integers(0, 10**6), size=st.integers(0, 300))
def test_an_epoch_is_a_permutation_and_a_pure_function(seed: int, epoch: int, size: int) -> None:
    order = epoch_order(seed, epoch, size)
    assert sorted(order) == list(range(size))
    assert order.dtype == np.int64
    np.testing.assert_array_equal(order, epoch_order(seed, epoch, size))


def test_seeds_epochs_batches_and_purposes_have_streams_of_their_own() -> None:
    keys = [
        (seed, purpose, epoch, batch) for seed in (0, 1) for purpose in Purpose for epoch in (0, 1) for batch in (0, 1)
    ]
    first = {tuple(stream(*key).integers(2**62, size=2)) for key in keys}
    assert len(first) == len(keys)


def test_draws_are_pinned() -> None:
    # What was trained once must come out again after any change of this package.
    assert list(epoch_order(1, 0, 8)) == [2, 3, 6, 7, 1, 4, 0, 5]
    assert torch_seed(1, Purpose.WEIGHTS) == 7857788052434083416


def test_a_bin_keeps_its_coin_whatever_the_number_of_bins() -> None:
    few, many = reverse_flags(3, 2, 100), reverse_flags(3, 2, 10_000)
    np.testing.assert_array_equal(few, many[:100])
    assert many.mean() == pytest.approx(0.5, abs=0.02)
    assert (many != reverse_flags(3, 3, 10_000)).mean() == pytest.approx(0.5, abs=0.02)


def test_rows_are_permuted_within_their_groups() -> None:
    groups = (np.arange(0, 50), np.arange(70, 100))
    rows = permuted_rows(1, 110, groups)
    for group in groups:
        assert set(rows[group]) == set(group)
        assert (rows[group] != group).any()
    np.testing.assert_array_equal(rows[50:70], np.arange(50, 70))
    np.testing.assert_array_equal(rows, permuted_rows(1, 110, groups))
    assert (rows != permuted_rows(2, 110, groups)).any()


def test_torch_seeds_are_in_range() -> None:
    assert all(0 <= torch_seed(seed, Purpose.STEP, 5, 7) < 2**63 for seed in range(20))


def test_shifts_are_uniform_and_a_bin_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = jitter_shifts(3, 2, 101, 4), jitter_shifts(3, 2, 90_000, 4)
    np.testing.assert_array_equal(few, many[:101])
    assert many.dtype == np.int32
    counts = np.bincount(many + 4, minlength=9)
    assert len(counts) == 9
    assert np.abs(counts - 10_000).max() < 500
    assert not jitter_shifts(3, 2, 100, 0).any()
    monkeypatch.setattr(draws, "JITTER_CHUNK", 7)
    np.testing.assert_array_equal(jitter_shifts(3, 2, 101, 4), few)
