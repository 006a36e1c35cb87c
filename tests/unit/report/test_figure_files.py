from pathlib import Path
from xml.etree import ElementTree

import pytest

from lociflow.report.figure_files import figure_path, write_figures
from lociflow.report.page import write_page


def test_every_figure_of_the_page_is_a_file_that_stands_by_itself(simulated, tmp_path) -> None:
    folder = tmp_path / "figures"
    write_page(simulated.manifest, tmp_path / "report.html", folder)
    text = (tmp_path / "report.html").read_text()
    files = sorted(folder.rglob("*.svg"))
    assert len(files) == text.count("<figure>") > 8
    assert folder / "simulated/leaderboard-auprc.svg" in files
    for path in files:
        root = ElementTree.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("role") == "img"
        assert "simulated" in (root.get("aria-label") or "")
        ids = {element.get("id") for element in root.iter()}
        assert all(link.get("href", "#")[1:] in {*ids, ""} for link in root.iter("{http://www.w3.org/2000/svg}use"))
    assert "logo-A" in (folder / "simulated/locus-1-CTCF.svg").read_text()


def test_what_lay_there_is_replaced(tmp_path) -> None:
    folder = tmp_path / "figures"
    (folder / "old").mkdir(parents=True)
    (folder / "old/x.svg").write_text("x")
    assert write_figures('<svg viewBox="0 0 1 1" data-name="d/one"></svg><svg class="logo"></svg>', folder) == 1
    assert [path.relative_to(folder) for path in folder.rglob("*.svg")] == [Path("d/one.svg")]
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]


@pytest.mark.parametrize(
    ("name", "path"),
    [("d/curve-auroc", "d/curve-auroc.svg"), ("cost", "run/cost.svg"), ("d.fold1/a+b", "d.fold1/a+b.svg"),
     ("../x y/<z>", "_x_y/_z_.svg"), ("../x", "_/x.svg")],
)  # fmt: skip
def test_names_are_safe_as_paths(name, path) -> None:
    assert figure_path(name) == Path(path)
