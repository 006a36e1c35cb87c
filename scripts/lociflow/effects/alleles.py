"""Which alternative alleles can be scored, and why others cannot."""

import re
from typing import NamedTuple

_BASES = re.compile("[ACGT]+", re.IGNORECASE)
_SINGLE_BREAKEND = re.compile(r"\.[ACGTN]+|[ACGTN]+\.", re.IGNORECASE)

# Why an allele has no score, in the words of the counts and of the INFO field LF_SKIPPED.
REASONS = {
    "no_alternative": "the record has no alternative allele (. or -)",
    "overlapping_deletion": "the allele is *, a deletion that another record holds",
    "symbolic": "the allele is symbolic, as <DEL>",
    "breakend": "the allele is a breakend",
    "no_reference": "REF is missing (. or -)",
    "ambiguous": "an allele holds another letter than A, C, G and T",
    "same_as_reference": "the allele is REF",
    "too_long": "an allele is longer than the model's window",
    "other_contig": "the genome does not have the contig",
    "excluded_contig": "contig_aliases leaves the contig out",
    "outside": "the record lies beyond its contig's ends",
    "unknown_sequence": "more than half of a window is N or lies beyond the contig's ends",
    "reference_mismatch": "REF is not what the genome has there",
}


class Allele(NamedTuple):
    """One alternative allele on the genome."""

    contig: int
    """Index of the contig in the store."""
    position: int
    """First base of ``reference``, 0-based."""
    reference: str
    """Upper-case A, C, G, T."""
    alternative: str
    """Upper-case A, C, G, T."""


def why_skipped(reference: str, alternative: str, longest: int) -> str | None:
    """Return why an allele cannot be scored, one of :data:`REASONS`, or None where it can.

    Parameters
    ----------
    reference, alternative
        REF and one of the alternatives of a record, as the file has them.
    longest
        Bases of the longest allele that is taken, either of the two: the model's window.
    """
    found = None
    if reference in (".", "-"):
        found = "no_reference"
    elif alternative in (".", "-", ""):
        found = "no_alternative"
    elif alternative == "*":
        found = "overlapping_deletion"
    elif "[" in alternative or "]" in alternative or _SINGLE_BREAKEND.fullmatch(alternative):
        found = "breakend"
    elif alternative.startswith("<"):
        found = "symbolic"
    elif not (_BASES.fullmatch(reference) and _BASES.fullmatch(alternative)):
        found = "ambiguous"
    elif reference.upper() == alternative.upper():
        found = "same_as_reference"
    elif max(len(reference), len(alternative)) > longest:
        found = "too_long"
    return found
