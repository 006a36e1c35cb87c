"""The page of an audit: all verdicts at the top, then a section a check, in one HTML file that loads nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lociflow.audit.figures import draw
from lociflow.audit.verdicts import CHECKS, KIND, VERDICTS, percent
from lociflow.command import UserError
from lociflow.formats import check_format
from lociflow.report.drawing import Figure

TEMPLATES = Path(__file__).parent / "templates"
REPORT_TEMPLATES = Path(__file__).parents[1] / "report" / "templates"
ICONS = {"pass": "✓", "warn": "▲", "fail": "✕", "none": "–"}
WORDS = {"pass": "pass", "warn": "warn", "fail": "fail", "none": "not applicable"}
# Splits whose details are shown, the worst first: ten folds have ten times the same figures.
MOST_SPLITS = 3


def read_audit(path: Path) -> dict[str, Any]:
    """Read an audit.

    Raises
    ------
    UserError
        The file is missing or is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); expected the audit of a data set; run it again") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: found no JSON object, expected the audit of a data set; run it again")
    check_format(found, KIND, path)
    return found


def render(found: Mapping[str, Any]) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, REPORT_TEMPLATES]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters.update(
        cell=cell, badge=badge, percent=percent, short=short, is_text=is_text, breakable=breakable
    )
    style = "".join(
        (folder / name).read_text(encoding="utf-8")
        for folder, name in ((REPORT_TEMPLATES, "style.css"), (TEMPLATES, "audit.css"))
    )
    sections = [section(key, found) for key in CHECKS]
    return environment.get_template("audit.html.j2").render(
        audit=found,
        sections=sections,
        splits=found["splits"],
        style_sheet=Markup(style),
        counts={
            verdict: sum(1 for check in found["checks"] if shown(check) == verdict) for verdict in (*VERDICTS, "none")
        },
    )


def shown(check: Mapping[str, Any]) -> str:
    """Return the verdict that the page shows, "none" where the question does not apply."""
    return str(check["verdict"]) if check["applies"] else "none"


def section(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Arrange what one check has found in all splits."""
    results = [check for check in found["checks"] if check["check"] == key]
    by_split = {check["split"]: check for check in results}
    whole = by_split.get(None)
    order = sorted(results, key=lambda check: -VERDICTS.index(check["verdict"]))
    detailed = {check["split"] for check in order[:MOST_SPLITS]}
    return {
        "key": key,
        "title": CHECKS[key].title,
        "question": CHECKS[key].question,
        "can_fail": CHECKS[key].can_fail,
        "results": results,
        "by_split": by_split,
        "whole": whole,
        "verdict": shown(order[0]) if any(check["applies"] for check in results) else "none",
        "figures": {check["split"]: figures_of(check) if check["split"] in detailed else [] for check in results},
        "detailed": detailed,
        "guide": next((check for check in results if check["applies"]), None),
    }


def figures_of(check: Mapping[str, Any]) -> list[Figure]:
    """Draw the figures of a check."""
    drawn = (draw(data, f"{check['check']}-{check['split']}-{number}") for number, data in enumerate(check["figures"]))
    return [figure for figure in drawn if figure is not None]


def badge(verdict: str) -> Markup:
    """Show a verdict as icon, word and colour, each of which says it alone."""
    return Markup('<span class="badge {0}"><span aria-hidden="true">{1}</span> {2}</span>').format(
        verdict, ICONS[verdict], WORDS[verdict]
    )


def short(check: Mapping[str, Any]) -> str:
    """Write the number behind a verdict as briefly as it goes."""
    value = check["value"]
    if not check["applies"] or value is None:
        return ""
    if check["unit"].startswith("of the"):
        return percent(value)
    return f"{value:.0f}" if check["unit"].startswith(("targets", "classes")) else f"{value:.2f}"


def cell(value: Any) -> Markup:
    """Show an entry of a table: counts with thousands, measurements with two or three digits, a dash for nothing."""
    if value is None:
        return Markup("<td>–</td>")
    if isinstance(value, bool | str):
        return Markup('<td class="text">{}</td>' if not _numeric(str(value)) else "<td>{}</td>").format(str(value))
    if isinstance(value, int):
        return Markup("<td>{}</td>").format(f"{value:,}")
    # A prevalence of one in a thousand is not nothing.
    return Markup("<td>{}</td>").format(f"{value:.2g}" if 0 < abs(value) < 0.01 else f"{value:.3f}")


def breakable(name: str) -> Markup:
    """Let the name of a place break after its contig and between its ends."""
    return Markup(str(escape(name)).replace(":", ":<wbr>").replace("-", "-<wbr>"))


def is_text(table: Mapping[str, Any], column: int) -> bool:
    """Return whether a column of a table holds words, which stand on the left."""
    return any(isinstance(row[column], str) and not _numeric(row[column]) for row in table["rows"])


def _numeric(text: str) -> bool:
    return text[:1].isdigit() or text.startswith(("–", "-", "less", "more"))
