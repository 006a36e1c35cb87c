import pytest

from lociflow.preflight.stand_in import ENDLESS, Contigs, stand_in


@pytest.mark.parametrize(
    ("names", "complete", "found", "aliases", "lenient", "expected"),
    [
        (["chr1", "chr2"], True, ["chr9"], {}, False, ["chr1", "chr2"]),
        (["chr1"], False, ["chr9"], {}, False, ["chr1", "chr9"]),
        (["chr1"], False, ["1"], {}, False, ["chr1"]),
        (["chr1"], False, ["1", "scaffold"], {}, False, ["chr1", "1", "scaffold"]),
        (["chr1"], False, ["1"], {"1": "chr1", "2": "chr2", "3": None}, False, ["chr1", "chr2"]),
        (["chr1"], True, ["1"], {"2": "chr2"}, True, ["chr1"]),
        (["chr1"], True, ["chr7", "chr8"], {}, True, ["chr1", "chr7", "chr8"]),
        ([], False, ["a", "b"], {}, False, ["a", "b"]),
    ],
    ids=[
        *("all names are known", "more may follow", "spelt otherwise", "only one is", "aliases", "of a whole genome"),
        *("first lines elsewhere", "nothing is known"),
    ],
)
def test_who_has_the_benefit_of_the_doubt(
    names: list[str],
    complete: bool,
    found: list[str],
    aliases: dict[str, str | None],
    lenient: bool,
    expected: list[str],
) -> None:
    store = stand_in(Contigs(names, complete), found, aliases, lenient)
    assert list(store.names) == expected
    assert store.lengths.tolist() == [ENDLESS] * len(expected)
