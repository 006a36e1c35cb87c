"""The page in a real browser: what it loads, whether its controls work, how it fits a phone and a sheet of paper."""

import csv
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import CHROMIUM, Browser

from lociflow.report.page import write_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")
PHONE = 390
TARGETS = [f"T{number}" for number in range(40)]


@pytest.fixture(scope="module")
def page(of_both_kinds, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(of_both_kinds.manifest, path)
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.open(page)
    return browser


def test_nothing_is_asked_for_and_nothing_is_wrong(opened: Browser, page: Path) -> None:
    opened.evaluate("document.querySelectorAll('th button').forEach((button) => button.click())")
    asked = {event["request"]["url"] for event in opened.told("Network.requestWillBeSent")}
    assert {url for url in asked if not url.startswith("data:")} == {page.as_uri()}
    for kind in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
        assert opened.told(kind) == []


def test_a_request_or_an_error_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "wrong.html"
    path.write_text("<!doctype html><img src='http://localhost:9/x.png'><script>missing()</script>")
    browser.open(path)
    assert any("localhost" in event["request"]["url"] for event in browser.told("Network.requestWillBeSent"))
    assert browser.told("Runtime.exceptionThrown")


LEADERBOARD = "document.querySelector('table.leaderboard')"


def column(browser: Browser, name: str) -> list[str]:
    """Return the rows of the models in the leaderboard, in their order, after a click on the header of a column."""
    found: list[str] = browser.evaluate(
        f"[...{LEADERBOARD}.querySelectorAll('thead button')].find((one) => one.textContent === '{name}').click();"
        f"[...{LEADERBOARD}.tBodies[0].querySelectorAll('tr:not(.group) th')].map((row) => row.textContent)"
    )
    return found


def test_a_header_sorts_the_rows_of_each_group_and_says_so(opened: Browser) -> None:
    assert column(opened, "AUROC") == ["danq_small", "deepsea_small", "deepbind_small"]
    state = f"[...{LEADERBOARD}.querySelectorAll('[aria-sort]')].map((one) => [one.textContent, one.ariaSort])"
    assert opened.evaluate(state) == [["AUROC", "descending"]]
    assert column(opened, "AUROC") == ["deepbind_small", "deepsea_small", "danq_small"]
    assert opened.evaluate(state) == [["AUROC", "ascending"]]
    assert column(opened, "model") == ["danq_small", "deepbind_small", "deepsea_small"]
    groups = f"[...{LEADERBOARD}.querySelectorAll('tbody')].map((body) => body.rows[0].className)"
    assert opened.evaluate(groups) == ["group", "group", "group", "group", "chance"]


def test_large_numbers_are_sorted_by_value(opened: Browser) -> None:
    opened.evaluate(
        """{
          const table = document.querySelector("table.leaderboard");
          const [one, other] = table.tBodies[0].querySelectorAll("tr.model");
          const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "parameters");
          one.cells[column].dataset.value = "1200000"; other.cells[column].dataset.value = "9,100";
        }"""
    )
    assert column(opened, "parameters")[0] == "danq_small"
    assert column(opened, "parameters")[0] == "deepsea_small"


def test_the_keyboard_sorts(opened: Browser) -> None:
    opened.evaluate(f"{LEADERBOARD}.querySelector('thead button').focus()")
    for kind in ("keyDown", "keyUp"):
        opened.send("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    assert opened.evaluate(f"{LEADERBOARD}.querySelector('[aria-sort]').textContent") == "model"


def test_the_first_tab_offers_to_skip_to_the_answer(opened: Browser) -> None:
    for kind in ("keyDown", "keyUp"):
        opened.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert opened.evaluate("document.activeElement.className") == "skip"
    assert opened.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


FILTERED = "document.querySelector('[aria-label=\"Scores per target of yeast\"]').closest('.framed')"


def write(browser: Browser, text: str) -> list[str]:
    """Type into the box above the table of targets and return the rows that are left."""
    found: list[str] = browser.evaluate(
        f"{{ const input = {FILTERED}.querySelector('input'); input.value = {json.dumps(text)};"
        "input.dispatchEvent(new Event('input')); }"
        f"[...{FILTERED}.querySelectorAll('tbody tr:not([hidden]) th')].map((row) => row.textContent)"
    )
    return found


def test_a_box_filters_the_rows_of_a_long_table(opened: Browser) -> None:
    assert write(opened, "t3") == ["T3", *(f"T{number}" for number in range(30, 40))]
    assert opened.evaluate(f"{FILTERED}.querySelector('output').textContent") == "11 of 40 rows"
    assert write(opened, "") == TARGETS
    assert write(opened, "nothing of that kind") == []
    # A table of six targets needs no box.
    few = FILTERED.replace("yeast", "simulated")
    assert opened.evaluate(f"{few}.querySelectorAll('.save').length") == 1
    assert opened.evaluate(f"{few}.querySelectorAll('input').length") == 0


def test_every_control_has_a_label(opened: Browser) -> None:
    nameless = opened.evaluate(
        "[...document.querySelectorAll('button, input')].filter((one) => "
        "!(one.textContent.trim() || one.labels?.[0]?.textContent.trim())).length"
    )
    assert nameless == 0
    names = opened.evaluate("[...document.querySelectorAll('button.save')].map((one) => one.textContent)")
    assert len(names) > 20
    assert len([name for name in names if name.startswith("Save as TSV: ")]) == len(
        {name for name in names if name.startswith("Save as TSV: ")}
    )


def saved(browser: Browser, folder: Path, click: str) -> Path:
    """Click on a button and return the file that the browser has saved."""
    browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)
    browser.evaluate(click)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        browser.evaluate("0")
        if any(event["state"] == "completed" for event in browser.told("Browser.downloadProgress")):
            (path,) = folder.iterdir()
            return path
        time.sleep(0.05)
    raise AssertionError("nothing was saved")


def test_a_table_is_saved_as_tsv_with_all_its_rows(opened: Browser, tmp_path: Path) -> None:
    write(opened, "T3")
    path = saved(opened, tmp_path, f"{FILTERED}.querySelector('.save').click()")
    assert path.name == "quickstart.Scores_per_target_of_yeast.tsv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["target"] for row in rows] == TARGETS
    assert "<" not in path.read_text()
    low, _, high = rows[0]["deepbind_small AUROC interval"].partition(" to ")
    assert float(low) < float(rows[0]["deepbind_small AUROC"]) < float(high)
    # More digits than the page shows.
    assert len(rows[0]["deepbind_small AUROC"]) > 6


def test_the_groups_of_the_leaderboard_are_a_column(opened: Browser, tmp_path: Path) -> None:
    path = saved(opened, tmp_path, f"{LEADERBOARD}.closest('.framed').querySelector('.save').click()")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["group"] for row in rows] == ["Models"] * 3 + ["Baselines", "Ceiling"] + ["Controls"] * 2 + [""]
    assert rows[0]["parameters"] == "48211"
    assert float(rows[0]["training seconds"]) == 12 * 3.25


@pytest.mark.parametrize("place", ["figure", ".card"])
def test_figures_and_logos_are_saved_as_svg(opened: Browser, tmp_path: Path, place: str) -> None:
    path = saved(opened, tmp_path, f"document.querySelector('{place} button.save').click()")
    assert path.suffix == ".svg"
    root = ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("aria-label")
    ids = {element.get("id") for element in root.iter()}
    link = "{http://www.w3.org/1999/xlink}href"
    referred = [found for element in root.iter() if (found := element.get("href") or element.get(link))]
    assert referred
    assert {name.removeprefix("#") for name in referred} <= ids


def test_every_figure_says_what_is_to_be_seen(opened: Browser) -> None:
    figures = opened.evaluate(
        "[...document.querySelectorAll('figure svg, svg.logo')].map((svg) => [svg.getAttribute('role'), svg.ariaLabel])"
    )
    assert len(figures) > 40
    for role, told in figures:
        assert role == "img"
        assert len(told) > 12
    drawn = opened.evaluate("[...document.querySelectorAll('figure svg')].map((svg) => svg.ariaLabel)")
    # A figure of scores has its numbers in words.
    assert all(any(letter.isdigit() for letter in told) for told in drawn)


def test_headings_tables_and_landmarks_are_in_order(opened: Browser) -> None:
    tags = opened.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((heading) => heading.tagName)")
    levels = [int(tag[1]) for tag in tags]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert opened.evaluate("document.documentElement.lang") == "en"
    for landmark in ("main", "nav", "header", "footer"):
        assert opened.evaluate(f"document.querySelectorAll('{landmark}').length") == 1
    assert opened.evaluate("[...document.querySelectorAll('table')].filter((table) => !table.caption).length") == 0
    assert opened.evaluate("document.querySelectorAll('th:not([scope])').length") == 0
    unreachable = "document.querySelectorAll('.scroll:not([tabindex=\"0\"][aria-label])').length"
    assert opened.evaluate(unreachable) == 0


@pytest.mark.parametrize("width", [320, PHONE, 768, 1400])
def test_nothing_is_wider_than_the_window(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width)
    browser.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    wide = browser.evaluate(
        f"[...document.querySelectorAll('figure, .scroll, .banner, .card, p')].filter((one) => "
        f"one.getBoundingClientRect().right > {width} + 0.5).map((one) => one.outerHTML.slice(0, 120))"
    )
    assert wide == []


def test_all_can_be_read_without_a_script(browser: Browser, page: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page)
        root = browser.send("DOM.getDocument")["root"]["nodeId"]
        found = {
            selector: len(browser.send("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])
            for selector in ("button", "input", "tbody tr", "figure svg", "section")
        }
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert found["button"] == found["input"] == 0
    assert found["tbody tr"] > len(TARGETS) + 6
    assert found["figure svg"] > 10
    assert found["section"] >= 7


def test_on_paper_everything_is_open_and_no_control_is_left(opened: Browser) -> None:
    opened.send("Emulation.setEmulatedMedia", media="print")
    try:
        opened.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert opened.evaluate("document.querySelectorAll('details:not([open])').length") == 0
        seen = "[...document.querySelectorAll('button.save, input, nav')].filter((one) => one.checkVisibility()).length"
        assert opened.evaluate(seen) == 0
        opened.evaluate("dispatchEvent(new Event('afterprint'))")
        assert opened.evaluate("document.querySelectorAll('details:not([open])').length") > 0
    finally:
        opened.send("Emulation.setEmulatedMedia", media="")


def test_the_answer_is_on_the_first_screen(opened: Browser) -> None:
    for selector in (".asked", ".banner", ".verdict"):
        assert opened.evaluate(f"document.querySelector('{selector}').getBoundingClientRect().bottom") < 900
    assert opened.evaluate(f"{LEADERBOARD}.tBodies[0].rows[3].getBoundingClientRect().bottom") < 900
