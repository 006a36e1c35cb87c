"""The figures of a page as SVG files that stand by themselves, for Snakemake's own report and for papers."""

import re
from html import unescape
from pathlib import Path

from lociflow.command import atomic_folder
from lociflow.report.drawing import standalone

# A figure of the page, which :func:`lociflow.report.drawing.as_svg` has written; logos have no name and are left out.
NAMED = re.compile(r'<svg [^>]*?data-name="([^"]+)".*?</svg>', re.DOTALL)
OF_THE_RUN = "run"


def write_figures(page: str, folder: Path) -> int:
    """Write every figure of a page as a file.

    Parameters
    ----------
    page
        Its HTML.
    folder
        To write ``DATASET/FIGURE.svg`` to, ``run/FIGURE.svg`` for a figure that belongs to no data set. What lies
        there is replaced as a whole, once all is written.

    Returns
    -------
    int
        Number of figures.
    """
    with atomic_folder(folder) as written:
        found = list(NAMED.finditer(page))
        for match in found:
            path = written / figure_path(unescape(match.group(1)))
            path.parent.mkdir(exist_ok=True)
            path.write_text(standalone(match.group()) + "\n", encoding="utf-8")
    return len(found)


def figure_path(name: str) -> Path:
    """Return where a figure lies in the folder of figures, in characters that every file system takes."""
    dataset, _, figure = name.rpartition("/")
    return Path(_plain(dataset or OF_THE_RUN)) / f"{_plain(figure)}.svg"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", name).strip(".") or "_"
