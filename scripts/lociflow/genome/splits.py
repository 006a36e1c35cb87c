"""Splits of bins into train, validation and test: all schemes that a data set's ``split`` may name."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd

from lociflow.command import UserError
from lociflow.genome.bin_splits import by_group, published, random
from lociflow.genome.contig_names import guess_contig, some
from lociflow.genome.contig_splits import balanced_contigs, contig_folds
from lociflow.genome.fold_splits import cross_validation, leave_one_group_out, leave_one_out
from lociflow.genome.homology_split import homology_aware
from lociflow.genome.split_data import SPLITS, SplitData, as_split

__all__ = [
    "SPLITS",
    "SplitData",
    "balanced_contigs",
    "by_contig",
    "by_group",
    "contig_folds",
    "cross_validation",
    "homology_aware",
    "leave_one_group_out",
    "leave_one_out",
    "published",
    "random",
]


def by_contig(
    data: SplitData,
    *,
    validation: Sequence[str],
    test: Sequence[str],
    train: Sequence[str] | None = None,
) -> pd.Categorical:
    """Split bins by whole contigs.

    A model's window may reach beyond its bin but never over its contig's ends, where it is padded, so bins of
    different contigs share no base whatever the input length.

    Parameters
    ----------
    data
        Of which only the windows' contigs are looked at.
    validation, test, train
        Contigs of each split; ``train`` is what the other two leave where None.

    Returns
    -------
    pandas.Categorical
        "train", "validation" or "test" for each bin; missing for a bin whose contig is in no split.

    Raises
    ------
    UserError
        A contig is unknown or named twice, or a split has no bin.
    """
    contig_column = data.windows["contig"]
    known = list(contig_column.cat.categories)
    named = {"validation": _listed(validation), "test": _listed(test)}
    if train is not None:
        named["train"] = _listed(train)
    home: dict[str, str] = {}
    for split, contigs in named.items():
        for contig in contigs:
            if contig not in known:
                close = guess_contig(contig, known) or next(iter(get_close_matches(contig, known, n=1)), None)
                hint = f"did you mean {close}?" if close else "use the genome's own names"
                raise UserError(
                    f"split.{split}: found contig {contig}, expected one of the genome's ({some(known)}); {hint}"
                )
            if contig in home:
                both = (
                    f"twice in split.{split}"
                    if home[contig] == split
                    else f"in split.{home[contig]} and in split.{split}"
                )
                raise UserError(f"split: found contig {contig} {both}, expected it in one; remove it from the other")
            home[contig] = split
    if train is None:
        home |= {contig: "train" for contig in known if contig not in home}
    place = np.array([SPLITS.index(home[contig]) if contig in home else -1 for contig in known], dtype=np.int8)
    codes = place[contig_column.cat.codes.to_numpy()]
    for number, split in enumerate(SPLITS):
        if not (codes == number).any():
            listed = [contig for contig in known if home.get(contig) == split]
            found = f"no bin on {some(listed)}" if listed else "no contig"
            raise UserError(f"split.{split}: found {found}, expected at least one bin; give it other contigs")
    return as_split(codes)


def _listed(contigs: Sequence[str]) -> list[str]:
    # A single name is a list of one, not a list of its letters.
    return [contigs] if isinstance(contigs, str) else [str(contig) for contig in contigs]
