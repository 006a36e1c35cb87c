import pytest

from lociflow.command import UserError
from lociflow.genome.settings import FUNCTIONS, partial
from lociflow.instantiate import trusted_object


@pytest.mark.parametrize(("where", "names"), FUNCTIONS.items())
def test_the_functions_that_are_offered_exist(where: str, names: tuple[str, ...]):
    for name in names:
        assert trusted_object(name).__name__ == name.rpartition(".")[2], where


@pytest.mark.parametrize(
    ("where", "target", "meant"),
    [
        ("windows", "lociflow.genome.windows.tile_bin", "lociflow.genome.windows.tile_bins"),
        ("windows", "lociflow.genome.window.peak_centred_bins", "lociflow.genome.windows.peak_centred_bins"),
        ("windows", "lociflow.genome.windows.whole_sequences", "lociflow.genome.whole_sequences.whole_sequences"),
        ("windows.negatives", "lociflow.genome.negative.matched", "lociflow.genome.negatives.matched"),
        ("split", "by_contig", "lociflow.genome.splits.by_contig"),
        ("split", "lociflow.genome.splits.by_contg", "lociflow.genome.splits.by_contig"),
        ("elsewhere", "lociflow.genome.splits.by_contg", "lociflow.genome.splits.by_contig"),
    ],
)
def test_a_misspelt_function_is_guessed(where: str, target: str, meant: str):
    with pytest.raises(UserError) as refused:
        partial({"_target_": target}, where)
    told = str(refused.value)
    assert told.startswith(f"{where}._target_: found {target!r}, which does not exist; expected one of lociflow.")
    assert told.endswith(f"; did you mean {meant}?")
    assert "Error" not in told


@pytest.mark.parametrize("target", ["", "nothing.like.it", 7, None, "os.system", "lociflow", "lociflow.nowhere.x"])
def test_what_is_no_function_is_refused_in_a_sentence(target: object):
    for where in ("windows", "split", "elsewhere"):
        with pytest.raises(UserError) as refused:
            partial({"_target_": target}, where)
        assert "Error" not in str(refused.value)


def test_a_misspelt_function_inside_another_is_told_with_its_place():
    entry = {
        "_target_": "lociflow.genome.windows.peak_centred_bins",
        "bin": 10,
        "negatives": [{"_target_": "lociflow.genome.negatives.mached"}],
    }
    with pytest.raises(UserError, match=r"^windows\.negatives\._target_: .* did you mean .*\.matched\?$"):
        partial(entry, "windows")
