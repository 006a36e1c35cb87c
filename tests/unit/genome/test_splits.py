import pytest
from split_cases import contig_data

from lociflow.command import UserError
from lociflow.genome.splits import by_contig

DATA = contig_data(["chrI", "chrI", "chrII", "chrIII", "chrIV"], ["chrI", "chrII", "chrIII", "chrIV", "chrM"])


def test_train_is_the_rest():
    split = by_contig(DATA, validation=["chrII"], test=["chrIII"])
    assert list(split) == ["train", "train", "validation", "test", "train"]
    assert list(split.categories) == ["train", "validation", "test"]


def test_contigs_in_no_split_are_missing():
    split = by_contig(DATA, validation=["chrII"], test=["chrIII"], train=["chrI"])
    assert list(split.codes) == [0, 0, 1, 2, -1]


def test_a_single_name_is_a_list_of_one():
    assert list(by_contig(DATA, validation="chrII", test="chrIII")) == list(
        by_contig(DATA, validation=["chrII"], test=["chrIII"])
    )


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"validation": ["chrII"], "test": ["chrIII"], "train": ["chrI", "chrIII"]},
            "split: found contig chrIII in split.test and in split.train, expected it in one; remove it from the other",
        ),
        ({"validation": ["chrII", "chrII"], "test": ["chrIII"]}, "found contig chrII twice in split.validation"),
        ({"validation": ["chrI"], "test": ["chrI"]}, "found contig chrI in split.validation and in split.test"),
        (
            {"validation": ["chr3"], "test": ["chrIII"]},
            r"split.validation: found contig chr3, expected one of the genome's \(chrI, chrII, chrIII and 2 more\); "
            r"did you mean chrIII\?",
        ),
        ({"validation": ["chrIIl"], "test": ["chrI"]}, r"did you mean chrII"),
        ({"validation": ["zzz"], "test": ["chrIII"]}, "found contig zzz, .*; use the genome's own names"),
        ({"validation": ["chrII"], "test": []}, "split.test: found no contig, expected at least one bin"),
        ({"validation": ["chrM"], "test": ["chrII"]}, "split.validation: found no bin on chrM"),
        ({"validation": ["chrI", "chrII"], "test": ["chrIII", "chrIV", "chrM"]}, "split.train: found no contig"),
        ({"validation": ["chrI", "chrII"], "test": ["chrIII", "chrIV"]}, "split.train: found no bin on chrM"),
    ],
)
def test_refusals(config: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        by_contig(DATA, **config)
