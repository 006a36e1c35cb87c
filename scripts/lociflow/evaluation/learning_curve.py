"""How a model's score grows with the share of the labels that it is trained on.

Each training has the block-bootstrap interval of its score, which speaks of other loci; trainings on the same share
have a spread between seeds, which speaks of other draws of the labels and other first weights. They are told apart.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lociflow.command import UserError, atomic, status
from lociflow.evaluation.metrics import HEADLINES
from lociflow.formats import check_format

# How a share is told from others.
POINT = ["dataset", "split", "model", "share"]
COUNTS = ("training_bins", "training_labels", "training_positives", "fewest_training_positives")
COLUMNS = (
    *POINT, *COUNTS, "seed", "metric", "median", "mean", "mean_low", "mean_high", "seeds", "seeds_mean", "seeds_sd",
)  # fmt: skip


class Point(NamedTuple):
    """One training of a learning curve."""

    dataset: str
    split: str
    model: str
    """Label of the model that is trained on a share of the labels."""
    share: float
    seed: int
    metrics: Path
    """Its ``metrics.json``."""
    config: Path
    """Its ``config.json``."""


def read_points(points: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Turn JSON objects with the fields of :class:`Point` into points."""
    return [Point(**{**point, "metrics": Path(point["metrics"]), "config": Path(point["config"])}) for point in points]


def tabulate(points: Sequence[Point]) -> pd.DataFrame:
    """Read the headline score of every training.

    Returns
    -------
    pandas.DataFrame
        Columns as :data:`COLUMNS`, a row a training. ``training_bins`` are those whose labels are learnt from,
        ``training_labels`` their known labels of all targets together, ``training_positives`` the positive ones and
        ``fewest_training_positives`` those of the target that has the fewest, missing where labels are not binary; of a
        cross-validation they are those of the first fold. ``median`` and ``mean`` are over targets, on the test bins,
        ``mean_low`` and ``mean_high`` the ends of the mean's block-bootstrap interval, all of ``metric``. ``seeds`` is
        the number of trainings on the same share, ``seeds_mean`` and ``seeds_sd`` (of a sample; NaN for one seed) are
        mean and spread of their ``mean``.

    Raises
    ------
    UserError
        A file is missing or of another format.
    """
    rows = []
    for point in points:
        found, config = _read(point.metrics), _read(point.config)
        check_format(found, "metrics", point.metrics)
        metric = HEADLINES[found.get("kind", "binary")]
        summary = found["summary"][metric]
        rows.append(
            {
                **{name: getattr(point, name) for name in ("dataset", "split", "model", "share", "seed")},
                **{name: config.get(name) for name in COUNTS},
                "metric": metric,
                **{name: summary.get(name) for name in ("median", "mean", "mean_low", "mean_high")},
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    # Whole numbers stay whole where some are missing.
    table = table.astype(dict.fromkeys(COUNTS, "Int64"))
    means = table.groupby(POINT, sort=False)["mean"]
    table["seeds"], table["seeds_mean"] = means.transform("size"), means.transform("mean")
    table["seeds_sd"] = means.transform("std")
    return table.sort_values([*POINT, "seed"], ignore_index=True)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write the table of :func:`tabulate` as tab-separated text, with shares to their last digit."""
    with atomic(path) as temporary:
        table.assign(share=[repr(float(share)) for share in table["share"]]).to_csv(
            temporary, sep="\t", index=False, float_format="%.6g", lineterminator="\n"
        )
    status(f"{len(table)} trainings on {table['share'].nunique()} shares of the labels")


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); run the step that makes it again") from None
    return found
