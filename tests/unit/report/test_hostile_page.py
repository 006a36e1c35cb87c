"""The page shows names of targets as they are, whatever they would be in HTML, SVG, scripts or mathematics."""

from html.parser import HTMLParser

from lociflow.report.page import Provenance, render
from lociflow.report.read_results import read_results

HOSTILE = [
    '" onmouseover="alert(1)',
    "' onfocus='alert(2)",
    "</svg><script>alert(3)</script>",
    "</script><script>alert(4)</script>",
    "</style><img src=x onerror=alert(5)>",
    "<!--",
    "]]>",
    r"A$\foo$",
    "{{ 7 * 7 }}{% raw %}",
]


class Elements:
    """What a browser's parser would make of a page."""

    def __init__(self, text: str) -> None:
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        parser = HTMLParser()
        parser.handle_starttag = self._take  # type: ignore[method-assign]
        parser.handle_startendtag = self._take  # type: ignore[method-assign]
        parser.feed(text)
        parser.close()

    def _take(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes


def test_no_name_becomes_an_element_an_attribute_or_a_formula(results) -> None:
    data = results.dataset("data", HOSTILE)
    results.entry(data, "cnn", 0.9, motifs=["JUN"])
    text = render(read_results(results.manifest), Provenance({"python": "3.11"}, "abc", ("snakemake",)))
    found = Elements(text)
    assert found.tags.count("script") == 1
    assert "img" not in found.tags
    assert [name for name, _ in found.attributes if name.startswith("on")] == []
    assert not [value for _, value in found.attributes if (value or "").lower().startswith("javascript:")]
    assert "49{% raw %}" not in text
    assert "{{ 7 * 7 }}{% raw %}" in text
    assert "A$\\foo$" in text
