"""The page that lists all runs whose results lie in a folder, each with its headline scores and its report."""

import base64
import hashlib
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lociflow.command import atomic
from lociflow.evaluation.metrics import HEADLINES, METRICS
from lociflow.report import tables

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("save.js", "tables.js")
NEEDED = ("dataset", "split", "label", "model", "seed", "kind", "targets")


class Headline(NamedTuple):
    """What a run says of one split of a data set; None where a score is undefined or the run has no such entry."""

    dataset: str
    split: str
    models: int
    """Labels, controls left out."""
    targets: int
    metric: str
    best: str | None
    score: float | None
    """Median over targets of the best model; the mean of these over its seeds."""
    low: float | None
    high: float | None
    """Of its interval; None where there are several seeds."""
    seeds: int
    baseline: float | None
    """The best baseline's score."""


class ListedRun(NamedTuple):
    """A run of the list."""

    name: str
    finished: datetime
    report: str | None
    """Address of its page, as seen from the list; None where there is none."""
    headlines: list[Headline]
    problem: str | None
    """Why there are no headlines."""


def write_index(runs: Path, index: Path) -> None:
    """List the runs of a folder on a page.

    The page is rebuilt from what lies there: two runs that end at the same time write the same list, or the later one's
    is complete. A run whose scores cannot be read is listed with the reason.

    Parameters
    ----------
    runs
        Folder with a folder for each run; a run is listed once it has a ``scores.tsv``.
    index
        HTML file to write, beside ``runs``.
    """
    found = [listed_run(path, index.parent) for path in runs.glob("*/scores.tsv")]
    found.sort(key=lambda run: (run.finished, run.name), reverse=True)
    text = render_index(found)
    with atomic(index) as temporary:
        temporary.write_text(text, encoding="utf-8")


def listed_run(scores: Path, place: Path) -> ListedRun:
    """Read a run's table of scores.

    Parameters
    ----------
    scores
        Its ``scores.tsv``.
    place
        Folder of the list, from which addresses are counted.
    """
    report = scores.parent / "report.html"
    headlines: list[Headline] = []
    problem = None
    try:
        headlines = headlines_of(pd.read_csv(scores, sep="\t", keep_default_na=False, na_values=[""]))
    except (OSError, ValueError, KeyError) as error:
        problem = f"{scores.name} cannot be read ({error}); run it again"
    return ListedRun(
        name=scores.parent.name,
        finished=datetime.fromtimestamp(scores.stat().st_mtime, UTC),
        report=report.relative_to(place).as_posix() if report.is_file() else None,
        headlines=headlines,
        problem=problem,
    )


def headlines_of(scores: pd.DataFrame) -> list[Headline]:
    """Choose the best model of every split of a table of scores.

    Parameters
    ----------
    scores
        As :func:`lociflow.report.tables.score_table` makes it.

    Raises
    ------
    ValueError
        The table lacks a column.
    """
    if missing := [column for column in NEEDED if column not in scores]:
        raise ValueError(f"no column {missing[0]}")
    return [
        headline(str(dataset), str(split), rows)
        for (dataset, split), rows in scores.groupby(["dataset", "split"], sort=False)
    ]


def headline(dataset: str, split: str, rows: pd.DataFrame) -> Headline:
    """Say which model of one split is best, and by how much."""
    metric = HEADLINES[str(rows["labels"].iloc[0]) if "labels" in rows else "binary"]
    about = METRICS[metric]
    models = rows[rows["kind"] == "model"]
    scores = models.groupby("label", sort=False)[f"{metric}_median"].mean().dropna()
    best = None if scores.empty else str(scores.idxmax() if about.larger_is_better else scores.idxmin())
    trained = models[models["label"] == best]
    gains = trained.get(f"{metric}_gain")
    alone = len(trained) == 1
    return Headline(
        dataset=dataset,
        split=split,
        models=models["label"].nunique(),
        targets=int(models["targets"].fillna(0).max()) if len(models) else 0,
        metric=about.title,
        best=best,
        score=_known(scores.get(best)),
        low=_known(trained[f"{metric}_low"].iloc[0]) if alone else None,
        high=_known(trained[f"{metric}_high"].iloc[0]) if alone else None,
        seeds=trained["seed"].nunique(),
        baseline=None if gains is None else _known(scores.get(best, math.nan) - gains.mean()),
    )


def render_index(runs: list[ListedRun]) -> str:
    """Render the list, in the looks of the reports; the same runs give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(number=tables.number)
    environment.globals.update(interval=tables.interval, plural=tables.plural)
    script = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return environment.get_template("index.html.j2").render(
        runs=runs,
        style_sheet=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _known(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
