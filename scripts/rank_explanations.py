"""Set the explanations of a run on a simulated genome beside each other: which to trust for which architecture."""

import argparse
from pathlib import Path
from typing import Any

from lociflow.command import atomic, run, status
from lociflow.report.drawing import standalone
from lociflow.report.explanation_figure import ranking_figure
from lociflow.report.explanation_ranking import answers, rank_explanations
from lociflow.report.manifest import manifest_argument
from lociflow.report.tables import write_table


def rank(manifest: dict[str, Any], dataset: str, ranking: Path, factors: Path, figure: Path) -> None:
    """Write the ranking, the scores of each factor, and the figure."""
    ranked = manifest["explanations"][dataset]
    table, by_factor = rank_explanations(ranked, ranked["level"])
    write_table(table, ranking)
    write_table(by_factor, factors)
    with atomic(figure) as temporary:
        temporary.write_text(standalone(ranking_figure(table, dataset)), encoding="utf-8")
    for answer in answers(table):
        if answer["method"] is None:
            status(f"{answer['model']}: no method to trust, {', '.join(answer['failed'])} failed a check")
            continue
        as_good = f"; not told apart from it: {', '.join(answer['as_good'])}" if answer["as_good"] else ""
        status(f"{answer['model']}: {answer['method']}, AUPRC {answer['auprc']:.3f}{as_good}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=manifest_argument, required=True, help="what the run consists of (JSON)")
    parser.add_argument("--dataset", required=True, help="name of the data set")
    parser.add_argument("--ranking", type=Path, required=True, help="table to write (TSV)")
    parser.add_argument("--factors", type=Path, required=True, help="table by factor to write (TSV)")
    parser.add_argument("--figure", type=Path, required=True, help="figure to write (SVG)")
    run(rank, parser)
