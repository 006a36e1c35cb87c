import pytest

from lociflow.effects.alleles import REASONS, why_skipped


@pytest.mark.parametrize(
    ("reference", "alternative", "reason"),
    [
        ("A", "C", None),
        ("acg", "t", None),
        ("A", ".", "no_alternative"),
        ("A", "-", "no_alternative"),
        ("-", "A", "no_reference"),
        ("A", "*", "overlapping_deletion"),
        ("A", "<DEL>", "symbolic"),
        ("A", "<*>", "symbolic"),
        ("A", "A[chrII:5[", "breakend"),
        ("A", "]chrII:5]A", "breakend"),
        ("A", ".A", "breakend"),
        ("A", "N", "ambiguous"),
        ("R", "A", "ambiguous"),
        ("A", "a", "same_as_reference"),
        ("A", "ACGTAC", "too_long"),
        ("ACGTAC", "A", "too_long"),
        ("ACGTA", "A", None),
    ],
)
def test_why_an_allele_has_no_score(reference: str, alternative: str, reason: str | None) -> None:
    assert why_skipped(reference, alternative, longest=5) == reason
    assert reason is None or reason in REASONS
