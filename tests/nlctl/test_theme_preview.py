"""The preview is one page: whole by itself, readable by everyone, true to the themes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from nlctl import themes
from nlctl.errors import UnknownTheme
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project
    from nlctl.themes import Theme

VOID = {"meta", "input", "br", "link", "img"}


@dataclass
class Page(HTMLParser):
    """The elements of a page, and whether each closes the one it should."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, attribute: str) -> list[str]:
        """Every value of one attribute, in order."""
        return [attrs[attribute] or "" for _tag, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module")
def kept(project: Project) -> list[Theme]:
    """The themes of this repository."""
    return themes.read(project.seeds / "themes")


@pytest.fixture(scope="module")
def html(kept: list[Theme]) -> str:
    """The page that shows them."""
    return themes.render_preview(kept)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The same page, taken apart."""
    parsed = Page()
    parsed.feed(html)
    return parsed


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_the_page_asks_nothing_of_the_network(html: str, page: Page) -> None:
    tags = {tag for tag, _attributes in page.elements}

    assert not tags & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"https?:|url\(|@import", html)
    assert page.values("src") == []
    assert not any(name.startswith("on") for _tag, attrs in page.elements for name in attrs)
    assert all(target.startswith("#") for target in page.values("href"))


def test_every_link_and_label_leads_to_one_element(page: Page) -> None:
    ids = Counter(page.values("id"))
    pointers = [target.removeprefix("#") for target in page.values("href")]
    pointers += (
        page.values("for") + page.values("aria-describedby") + page.values("aria-labelledby")
    )

    assert set(ids.values()) == {1}
    assert set(pointers) <= set(ids)


def test_every_field_has_a_label(page: Page) -> None:
    labels = set(page.values("for"))
    fields = [attrs for tag, attrs in page.elements if tag in {"input", "select", "textarea"}]

    assert len(fields) == 15
    assert all(attributes["id"] in labels for attributes in fields)


def test_the_page_is_french_and_has_one_title(page: Page) -> None:
    assert page.elements[0] == ("html", {"lang": "fr"})
    assert [tag for tag, _attributes in page.elements].count("h1") == 1


def test_each_theme_wears_its_own_tokens(page: Page, kept: list[Theme]) -> None:
    styles = [
        attributes["style"] or ""
        for tag, attributes in page.elements
        if tag == "section" and attributes.get("class") == "theme"
    ]

    for theme, style in zip(kept, styles, strict=True):
        assert f"--colors-primary: {theme.tokens['colors']['primary']};" in style


def test_the_page_uses_only_colors_that_themes_have(html: str, kept: list[Theme]) -> None:
    used = set(re.findall(r"var\(--colors-([a-z0-9-]+)\)", html))

    assert used <= set(kept[0].tokens["colors"])


def test_the_page_shows_how_each_pair_contrasts(html: str) -> None:
    assert html.count("43 paires conformes sur 43") == 3
    assert 'muted-foreground sur background</th><td class="number">6.0:1' in html


def test_a_failing_pair_is_said_so(kept: list[Theme]) -> None:
    colors = {**kept[0].tokens["colors"], "link": "0 0% 90%"}

    html = themes.render_preview([replace(kept[0], tokens={**kept[0].tokens, "colors": colors})])

    assert "41 paires conformes sur 43" in html
    assert html.count("Insuffisant") == 2


def test_a_name_is_a_text_and_never_markup(kept: list[Theme]) -> None:
    html = themes.render_preview([replace(kept[0], name="<b onclick=x>")])

    assert "<b onclick" not in html
    assert "&lt;b onclick=x&gt;" in html


def test_the_command_writes_the_themes_it_is_told(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "preview.html"
    terminal = terminals.Terminal(project.root)

    answer = terminal.type("theme", "preview", "NotionLab sombre", "--output", str(path))

    assert answer.exit_code == 0
    assert path.read_text("utf-8").count('class="theme"') == 1


def test_an_unknown_theme_is_refused(kept: list[Theme]) -> None:
    with pytest.raises(UnknownTheme):
        themes.find(kept, "minuit")
