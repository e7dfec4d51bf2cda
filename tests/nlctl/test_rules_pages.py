"""What people write around the parts of a page stays theirs, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlctl.errors import RulesPageBroken
from nlctl.rules import pages
from nlctl.rules.pages import Section

FACTS = {"title": "Thèmes", "version": "2"}
OVERVIEW = Section("OVERVIEW", "# Thèmes\n\nDes couleurs.")
TABLE = Section("TABLE:themes", "### `themes`")
CALL = Section("RPC:set_active_theme", "### `set_active_theme`")

PAGE = pages.compose(FACTS, [OVERVIEW, TABLE])
# Lines that are no marker, no front matter and no bare carriage return of their own.
SCRIBBLES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="<-\r"), max_size=60
).map(lambda text: f"{text}\n")


def refreshed(page: str, *sections: Section) -> str:
    return pages.refresh(page, FACTS, sections or (OVERVIEW, TABLE), "rules/themes.md")


def test_a_new_page_has_front_matter_and_an_anchor_for_each_section() -> None:
    assert PAGE == (
        '---\ntitle: "Thèmes"\nversion: "2"\n---\n\n'
        "<!-- AUTO:BEGIN -->\n"
        "<!-- ANCHOR:OVERVIEW -->\n# Thèmes\n\nDes couleurs.\n\n"
        "<!-- ANCHOR:TABLE:themes -->\n### `themes`\n"
        "<!-- AUTO:END -->\n"
    )


def test_a_page_that_is_fresh_stays_as_it_is() -> None:
    assert refreshed(PAGE) == PAGE


@given(before=SCRIBBLES, after=SCRIBBLES)
def test_what_stands_before_and_after_stays(before: str, after: str) -> None:
    head, part = PAGE.split(pages.BEGIN)
    page = f"{head}{before}{pages.BEGIN}{part}{after}"
    assert refreshed(page.replace("Des couleurs", "Autre chose")) == page


@pytest.mark.parametrize("ending", ["Fin", "Fin\n", "Fin\r\n\r\n", "  é\t", ""])
def test_the_end_of_a_page_stays(ending: str) -> None:
    assert refreshed(f"{PAGE}{ending}") == f"{PAGE}{ending}"


def test_a_marker_may_be_the_end_of_the_page() -> None:
    assert refreshed(PAGE.rstrip("\n")) == PAGE.rstrip("\n")


def test_a_page_with_windows_line_ends_keeps_them_everywhere() -> None:
    page = PAGE.replace("\n", "\r\n") + "À moi.\r\n"
    assert refreshed(page) == page


def test_a_note_between_two_sections_stays_between_them() -> None:
    note = f"{pages.END}\nÀ savoir.\n{pages.BEGIN}\n"
    page = PAGE.replace("\n<!-- ANCHOR:TABLE", f"{note}<!-- ANCHOR:TABLE")

    assert refreshed(page, OVERVIEW, TABLE, CALL) == page.replace(
        "### `themes`\n",
        "### `themes`\n\n<!-- ANCHOR:RPC:set_active_theme -->\n### `set_active_theme`\n",
    )


def test_a_section_that_is_gone_leaves_the_notes_around_it() -> None:
    note = f"{pages.END}\nÀ savoir.\n{pages.BEGIN}\n"
    page = PAGE.replace("\n<!-- ANCHOR:TABLE", f"{note}<!-- ANCHOR:TABLE")

    left = refreshed(page, OVERVIEW)

    assert "themes`" not in left
    assert f"Des couleurs.\n{note}{pages.END}\n" in left


def test_front_matter_keeps_the_lines_of_others() -> None:
    theirs = 'owner: Léa\ntitle: "Ancien"\ntags:\n  - ui\n'
    page = PAGE.replace('title: "Thèmes"\nversion: "2"\n', theirs)

    assert refreshed(page).startswith(
        '---\nowner: Léa\ntitle: "Thèmes"\ntags:\n  - ui\nversion: "2"\n---\n'
    )


def test_a_page_without_front_matter_gets_it() -> None:
    _, _, body = PAGE.partition("---\n\n")
    assert refreshed(body) == PAGE


@pytest.mark.parametrize(
    ("markers", "line", "complaint"),
    [
        ("", 1, "no part"),
        ("<!-- AUTO:BEGIN -->\n", 3, "AUTO:BEGIN without AUTO:END"),
        ("<!-- AUTO:END -->\n", 3, "AUTO:END without AUTO:BEGIN"),
        ("<!-- AUTO:BEGIN -->\n<!-- AUTO:BEGIN -->\n<!-- AUTO:END -->\n", 3, "without AUTO:END"),
        ("<!-- ANCHOR:OVERVIEW -->\n", 3, "ANCHOR:OVERVIEW without AUTO:BEGIN"),
        (
            "<!-- AUTO:BEGIN -->\n<!-- ANCHOR:A -->\n<!-- ANCHOR:A -->\n<!-- AUTO:END -->\n",
            5,
            "a second ANCHOR:A",
        ),
    ],
)
def test_markers_that_do_not_pair_up_are_refused_with_their_line(
    markers: str, line: int, complaint: str
) -> None:
    with pytest.raises(RulesPageBroken, match=rf"^rules/themes\.md:{line}: .*{complaint}"):
        refreshed(f"Bonjour\n\n{markers}")


def test_a_marker_inside_a_sentence_is_none() -> None:
    page = PAGE.replace(
        pages.BEGIN, f"Between `{pages.BEGIN}` and `{pages.END}`.\n{pages.BEGIN}", 1
    )
    assert refreshed(page) == page
