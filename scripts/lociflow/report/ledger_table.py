"""The ledger of a run as a table, as text for the terminal, and as the page shows it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lociflow.evaluation.ledger import VERDICTS, Row, Scored, ledger
from lociflow.evaluation.metrics import METRICS
from lociflow.report.figures import grouped
from lociflow.report.results import RunResults
from lociflow.report.tables import interval, number, signed

COUNTS = ("published_trials", "seeds", "test_bins")


class PageLedger(NamedTuple):
    """The ledger as the page shows it."""

    rows: list[Row]
    sources: list[tuple[list[str], Mapping[str, Any]]]
    """Names of the entries that agree in source, data, protocol, tolerance and caveats, with one of them."""


def page_ledger(results: RunResults) -> PageLedger | None:
    """Return the ledger of a run for its page; None where it covers no published number."""
    rows = run_ledger(results)
    shared: dict[str, tuple[list[str], Mapping[str, Any]]] = {}
    for entry in {row.entry["id"]: row.entry for row in rows}.values():
        key = repr([entry[name] for name in ("source", "data", "protocol", "tolerance", "caveats")])
        shared.setdefault(key, ([], entry))[0].append(entry["id"])
    return PageLedger(rows, list(shared.values())) if rows else None


def run_ledger(results: RunResults) -> list[Row]:
    """Set the published numbers that a run covers beside its models and baselines; empty where there are none."""
    scored = [
        Scored(dataset.dataset, dataset.split, label, entries[0].kind, [entry.metrics for entry in entries])
        for dataset in results.datasets
        for label, entries in grouped(dataset.entries)
    ]
    return ledger(results.published, scored)


def ledger_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Put the ledger into one table, a row a published number and model.

    Returns
    -------
    pandas.DataFrame
        ``standing`` is how the model stands for the published method: faithful, corrected, similar or other; ``sd``
        that over ``seeds``, missing for one; ``difference`` is measured less published. What is unknown is missing,
        never 0.
    """
    table = pd.DataFrame([_record(row) for row in rows])
    return table.astype(dict.fromkeys(COUNTS, "Int64")) if rows else table


def _record(row: Row) -> dict[str, Any]:
    entry, measured, verdict = row.entry, row.measured, row.verdict
    return {
        "entry": entry["id"],
        "dataset": entry["dataset"],
        "split": entry["split"],
        "metric": entry["metric"],
        "of": subject(entry),
        "method": entry["method"],
        "published": entry["value"],
        "published_low": row.published.low,
        "published_high": row.published.high,
        "published_trials": entry["trials"],
        "model": row.label,
        "standing": row.standing,
        "measured": measured.value if measured else None,
        "measured_low": measured.interval.low if measured else None,
        "measured_high": measured.interval.high if measured else None,
        "sd": measured.sd if measured else None,
        "seeds": measured.seeds if measured else None,
        "test_bins": measured.bins if measured else None,
        "difference": verdict.difference,
        "difference_low": verdict.interval.low,
        "difference_high": verdict.interval.high,
        "tolerance": entry["tolerance"]["value"],
        "verdict": verdict.word,
        "because": verdict.because,
        "caveats": " ".join(entry["caveats"]),
        "paper": entry["source"]["paper"],
        "address": entry["source"]["address"],
        "place": entry["source"]["place"],
    }


def subject(entry: Mapping[str, Any]) -> str:
    """Say what a published number is of: a target, or a statistic over several."""
    if entry["target"]:
        return str(entry["target"])
    return f"{entry['statistic']} over {entry['over'] or 'targets'}"


def ledger_text(rows: Sequence[Row]) -> str:
    """Lay out the ledger for a terminal, one block a data set and split, reasons that rows share once below."""
    blocks = []
    for place in dict.fromkeys((row.entry["dataset"], row.entry["split"]) for row in rows):
        chosen = [row for row in rows if (row.entry["dataset"], row.entry["split"]) == place]
        cells = [["", "published", "interval", "model", "measured", "interval", "sd", "difference", "verdict"]]
        cells += [_cells(row) for row in chosen]
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if column in (0, 3, 8) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        reasons = dict.fromkeys(f"{row.verdict.word}, because {row.verdict.because}" for row in chosen)
        blocks.append("\n".join([f"{place[0]}, {place[1]} split: published numbers", *lines, *reasons]))
    return "\n\n".join(blocks)


def _cells(row: Row) -> list[str]:
    entry, measured = row.entry, row.measured
    return [
        f"{entry['id'].rpartition('/')[2]} ({METRICS[entry['metric']].title})",
        number(entry["value"]),
        interval(row.published.low, row.published.high),
        row.label or "",
        number(measured.value if measured else None),
        interval(measured.interval.low, measured.interval.high) if measured else "",
        number(measured.sd) if measured and measured.sd is not None else "",
        signed(row.verdict.difference),
        row.verdict.word,
    ]


def told_verdicts(rows: Sequence[Row]) -> str:
    """Count the verdicts in words, for a status line."""
    counts = Counter(row.verdict.word for row in rows)
    return ", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word])
