import numpy as np
import pytest

from lociflow.data.sampler import SequentialSampler, TrainingSampler

BINS = np.array([3, 5, 8, 13, 21, 34, 55])


def test_an_epoch_gives_each_bin_once() -> None:
    sampler = TrainingSampler(BINS, 3, 1, True)
    batches = list(sampler)
    # One bin alone is no batch to normalise over.
    assert [len(batch.bins) for batch in batches] == [3, 4]
    assert len(sampler) == 2
    assert sorted(np.concatenate([batch.bins for batch in batches])) == sorted(BINS)


@pytest.mark.parametrize(
    ("bins", "size", "batches"), [(7, 5, [5, 2]), (6, 5, [6]), (5, 5, [5]), (1, 5, [1]), (3, 1, [1, 2]), (0, 5, [])]
)
def test_one_bin_that_is_left_over_goes_with_the_batch_before(bins: int, size: int, batches: list[int]) -> None:
    sampler = TrainingSampler(np.arange(bins), size, 1, True, jitter=1)
    assert sampler.batch_sizes.tolist() == batches
    assert [len(batch.reverse) for batch in sampler] == batches


def test_several_passes_make_an_epoch_of_short_batches_and_go_on_in_the_next() -> None:
    once, thrice = TrainingSampler(BINS, 5, 1, True, jitter=2), TrainingSampler(BINS, 5, 1, True, jitter=2, passes=3)
    assert thrice.batch_sizes.tolist() == [5, 2, 5, 2, 5, 2]
    thrice.set_epoch(2)
    found = list(thrice)
    assert len(found) == len(thrice) == 6
    for number in range(3):
        once.set_epoch(6 + number)
        for expected, batch in zip(once, found[2 * number : 2 * number + 2], strict=True):
            assert batch.bins.tolist() == expected.bins.tolist()
            assert batch.reverse.tolist() == expected.reverse.tolist()
            assert batch.shift is not None
            assert expected.shift is not None
            assert batch.shift.tolist() == expected.shift.tolist()


def test_epochs_differ_and_can_be_had_in_any_order() -> None:
    def epoch(sampler: TrainingSampler, number: int) -> list[tuple[list[int], list[bool]]]:
        sampler.set_epoch(number)
        return [(list(batch.bins), list(batch.reverse)) for batch in sampler]

    forwards, backwards = TrainingSampler(BINS, 3, 1, True), TrainingSampler(BINS, 3, 1, True)
    there = [epoch(forwards, number) for number in range(4)]
    back = [epoch(backwards, number) for number in reversed(range(4))]
    assert there == back[::-1]
    assert there[0] != there[1]


def test_the_strand_of_a_bin_does_not_depend_on_its_batch() -> None:
    def strands(batch_size: int, bins: np.ndarray) -> dict[int, bool]:
        sampler = TrainingSampler(bins, batch_size, 1, True)
        return {
            int(index): bool(flag) for batch in sampler for index, flag in zip(batch.bins, batch.reverse, strict=True)
        }

    assert strands(3, BINS) == strands(7, BINS)
    fewer = strands(3, BINS[:4])
    assert {index: strands(3, BINS)[index] for index in fewer} == fewer


def test_without_augmentation_nothing_is_reversed() -> None:
    assert not any(batch.reverse.any() for batch in TrainingSampler(np.arange(100), 10, 1, False))


def test_no_bins_give_no_batch() -> None:
    sampler = TrainingSampler(BINS[:0], 3, 1, True)
    assert (len(sampler), list(sampler)) == (0, [])


def test_sequential_batches_keep_order_and_strand() -> None:
    sampler = SequentialSampler(BINS[::-1], 4)
    batches = list(sampler)
    assert [list(batch.bins) for batch in batches] == [[55, 34, 21, 13], [8, 5, 3]]
    assert len(sampler) == 2
    assert not any(batch.reverse.any() for batch in batches)


def test_windows_are_moved_anew_in_every_epoch_and_whatever_the_batch() -> None:
    def shifts(batch_size: int, bins: np.ndarray, epoch: int = 0) -> dict[int, int]:
        sampler = TrainingSampler(bins, batch_size, 1, True, jitter=5)
        sampler.set_epoch(epoch)
        return {
            int(index): int(shift)
            for batch in sampler
            if batch.shift is not None
            for index, shift in zip(batch.bins, batch.shift, strict=True)
        }

    many = np.arange(1000)
    found = shifts(64, many)
    assert len(found) == 1000
    assert set(found.values()) == set(range(-5, 6))
    assert found == shifts(7, many)
    assert shifts(3, many[:10]) == {index: found[index] for index in range(10)}
    assert found != shifts(64, many, epoch=1)
    assert not shifts(3, BINS[:0])


def test_jitter_changes_neither_order_nor_strands() -> None:
    still, moved = TrainingSampler(BINS, 3, 1, True), TrainingSampler(BINS, 3, 1, True, jitter=2)
    for one, other in zip(still, moved, strict=True):
        assert one.shift is None
        np.testing.assert_array_equal(one.bins, other.bins)
        np.testing.assert_array_equal(one.reverse, other.reverse)
