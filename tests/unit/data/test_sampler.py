import numpy as np

from lociflow.data.sampler import SequentialSampler, TrainingSampler

BINS = np.array([3, 5, 8, 13, 21, 34, 55])


def test_an_epoch_gives_each_bin_once() -> None:
    sampler = TrainingSampler(BINS, 3, 1, True)
    batches = list(sampler)
    assert [len(batch.bins) for batch in batches] == [3, 3, 1]
    assert len(sampler) == 3
    assert sorted(np.concatenate([batch.bins for batch in batches])) == sorted(BINS)


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
        return {int(index): bool(flag) for batch in sampler for index, flag in zip(*batch, strict=True)}

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
