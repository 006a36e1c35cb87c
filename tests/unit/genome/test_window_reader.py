import numpy as np
from split_cases import bin_data, memory_store, random_codes

from lociflow.genome.window_reader import window_origins, window_reader


def test_windows_that_overlap_lie_on_one_axis():
    store = memory_store(list(random_codes(np.random.default_rng(1), 2, 1000)))
    data = bin_data(store, [0, 0, 0, 1, 1], [0, 100, 950, 0, 100], [50, 150, 1000, 50, 150], length=250)
    origin = window_origins(data)
    assert np.diff(origin).tolist() == [100, 850, 1000 + 2 * 250 - 950, 100]
    codes = window_reader(data)(np.arange(5))
    assert np.array_equal(codes[0, 100:], codes[1, :150])
    assert np.array_equal(codes[3, 100:], codes[4, :150])


def test_a_shuffled_window_lies_alone():
    store = memory_store(list(random_codes(np.random.default_rng(2), 1, 1000)))
    shuffled = [False, True, False, True]
    data = bin_data(store, [0] * 4, [0, 0, 100, 100], [50, 50, 150, 150], length=250, shuffled=shuffled)
    origin = window_origins(data)
    assert origin[2] - origin[0] == 100
    apart = np.abs(origin[:, None] - origin)[np.array(shuffled)]
    assert np.sort(apart, axis=1)[:, 1].min() >= 250
