"""Lint refuses what the database refuses, what is missing, and what is too faint to read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nlctl import themes
from nlctl.themes import contrast, grammar
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project
    from nlctl.themes import Theme
    from tests.databases import Database

COLORS = {"background": "0 0% 100%", "foreground": "0 0% 0%"}

TRIPLETS = {
    "0 0% 0%": True,
    "360 100% 100%": True,
    "359.999 99.5% 0.125%": True,
    "360.0 100.00% 7%": True,
    "05 07% 09%": True,
    "188 82% 23%": True,
    "361 0% 0%": False,
    "360.1 0% 0%": False,
    "400 0% 0%": False,
    "0 101% 0%": False,
    "0 100.1% 0%": False,
    "0 0% 0.1234%": False,
    "-1 0% 0%": False,
    "0 0 0": False,
    "0, 0%, 0%": False,
    "0  0% 0%": False,
    " 0 0% 0%": False,
    "0 0% 0%\n": False,
    "0 0% 0% / 0.5": False,
    "0deg 0% 0%": False,
    "hsl(0 0% 0%)": False,
    "#ffffff": False,
    "٣ 0% 0%": False,
    "": False,
}
SCALARS: list[tuple[Any, bool]] = [
    ("0.625rem", True),
    ("0 1px 2px hsl(200 40% 12% / 0.06)", True),
    ("Inter, 'Segoe UI', sans-serif", True),
    ("élégant", True),
    ("x" * 300, True),
    (0, True),
    (1.5, True),
    (True, True),
    ("linear-gradient(90deg, hsl(var(--a) / calc(1 - 0.5)), hsl(0 0% 0%))", True),
    ("'(' \")\"", True),
    ("x" * 301, False),
    ("", False),
    ("a;b", False),
    ("a{b", False),
    ("a}b", False),
    ("</style>", False),
    ("a\\b", False),
    ("a\nb", False),
    ("a\x7fb", False),
    ("a/*b", False),
    ("a*/b", True),
    ("@import x", False),
    ("url(x)", False),
    ("URL (x)", False),
    ("expression(x)", False),
    ("image-set('//evil.test/x.png' 1x)", False),
    ("-webkit-image-set('x' 1x)", False),
    ("src('x')", False),
    ("calc(1px", False),
    ("1px)", False),
    (")(", False),
    ("hsl(var(--a)", False),
    ('"Inter', False),
    ("l'été", False),
    ("'a\"b' \"", False),
    ("[a", False),
    (None, False),
    ([], False),
    ({}, False),
]
NAMES = {
    "primary": True,
    "chart-1": True,
    "2xl": True,
    "a-b-c": True,
    "Primary": False,
    "a_b": False,
    "a--b": False,
    "-a": False,
    "a-": False,
    "é": False,
    "a b": False,
    "": False,
}
TOKENS: list[tuple[Any, bool]] = [
    *(({"colors": {"a": text}}, good) for text, good in TRIPLETS.items()),
    *(({"colors": COLORS, "radius": {"a": value}}, good) for value, good in SCALARS),
    *(({"colors": {name: "0 0% 0%"}}, good) for name, good in NAMES.items()),
    *(({"colors": COLORS, name: {"a": 1}}, good) for name, good in NAMES.items()),
    ({"colors": {"a": 1}}, False),
    ({"colors": {"a": None}}, False),
    ({"colors": {}}, False),
    ({"colors": "red"}, False),
    ({"colors": COLORS, "radius": {}}, True),
    ({"colors": COLORS, "radius": "1rem"}, False),
    ({"colors": COLORS, "radius": None}, False),
    ({"radius": {"a": 1}}, False),
    ({}, False),
    ({"colors": COLORS, "x": {f"a{n}": "y" * 300 for n in range(190)}}, True),
    ({"colors": COLORS, "x": {f"a{n}": "y" * 300 for n in range(230)}}, False),
]


@pytest.fixture
def kept(project: Project) -> list[Theme]:
    """The themes of this repository."""
    return themes.read(project.seeds / "themes")


def recolored(theme: Theme, **colors: str) -> Theme:
    changes = {name.replace("_", "-"): value for name, value in colors.items()}
    return replace(theme, tokens={**theme.tokens, "colors": {**theme.tokens["colors"], **changes}})


@pytest.mark.parametrize(("tokens", "good"), TOKENS)
def test_lint_has_the_opinion_we_expect(tokens: dict[str, Any], good: bool) -> None:
    assert (list(grammar.find_faults(tokens)) == []) is good


def test_the_database_is_of_the_same_opinion(database: Database) -> None:
    answers = database.run(
        "select app.find_theme_fault(tokens) is null"
        " from jsonb_array_elements(%s::jsonb) with ordinality as given (tokens, place)"
        " order by place",
        (json.dumps([tokens for tokens, _good in TOKENS]),),
    )

    assert [good for (good,) in answers] == [good for _tokens, good in TOKENS]


def test_our_themes_have_no_fault(kept: list[Theme]) -> None:
    reference = themes.find(kept, None)

    findings = [themes.lint(theme, reference) for theme in kept]

    assert [(found.errors, found.warnings) for found in findings] == [((), ())] * 3


def test_our_themes_speak_french_and_one_is_the_default(kept: list[Theme]) -> None:
    assert [(theme.name, theme.is_default) for theme in kept] == [
        ("NotionLab clair", True),
        ("NotionLab contraste", False),
        ("NotionLab sombre", False),
    ]


def test_every_text_of_the_contrast_theme_is_aaa(kept: list[Theme]) -> None:
    theme = themes.find(kept, "notionlab-contraste")

    texts = [pair for pair in themes.lint(theme, theme).contrasts if pair.required > contrast.MARK]

    assert len(texts) > 30
    assert {pair.grade for pair in texts} == {"AAA"}


def test_a_text_too_faint_to_read_is_an_error_with_its_ratio(kept: list[Theme]) -> None:
    reference = themes.find(kept, None)
    theme = recolored(reference, primary="188 82% 50%")

    errors = themes.lint(theme, reference).errors

    assert "primary-foreground on primary 1.9:1 below 4.5:1" in errors


def test_a_theme_that_promises_aaa_is_held_to_it(kept: list[Theme]) -> None:
    reference = themes.find(kept, None)
    promise = {**reference.tokens, "accessibility": {"contrast": "AAA"}}

    errors = themes.lint(replace(reference, tokens=promise), reference).errors

    assert "muted-foreground on background 6.0:1 below 7:1" in errors


def test_a_faint_border_of_a_field_is_an_error(kept: list[Theme]) -> None:
    reference = themes.find(kept, None)

    errors = themes.lint(recolored(reference, input="200 10% 80%"), reference).errors

    assert [error for error in errors if error.startswith("input on background")] != []


def test_a_missing_token_is_an_error_and_a_strange_one_a_warning(kept: list[Theme]) -> None:
    reference = themes.find(kept, None)
    fonts = {name: value for name, value in reference.tokens["fonts"].items() if name != "mono"}
    theme = replace(reference, tokens={**reference.tokens, "fonts": {**fonts, "comic": "x"}})

    findings = themes.lint(theme, reference)

    assert findings.errors == ("fonts.mono is missing",)
    assert findings.warnings == ("fonts.comic is not in notionlab-clair",)


@pytest.mark.parametrize(
    ("front", "back", "expected"),
    [
        ("0 0% 0%", "0 0% 100%", 21.0),
        ("0 0% 100%", "0 0% 100%", 1.0),
        ("0 100% 50%", "0 0% 100%", 4.0),
    ],
)
def test_ratios_are_those_of_wcag(front: str, back: str, expected: float) -> None:
    assert contrast.ratio(front, back) == pytest.approx(expected, abs=0.005)


def test_a_ratio_is_never_rounded_up_to_a_pass() -> None:
    pair = contrast.Contrast("text", "page", 4.499, 4.5)

    assert str(pair) == "text on page 4.4:1 below 4.5:1"


def test_the_command_prints_ratios_and_succeeds(project: Project) -> None:
    answer = terminals.Terminal(project.root).type("theme", "lint")

    assert answer.exit_code == 0
    assert "  foreground on background 15.6:1 AAA" in answer.out.splitlines()


def test_the_command_fails_on_a_file_at_fault(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "pale.json"
    path.write_text('{"name": "Pâle", "is_default": false, "tokens": {"colors": {"ring": "red"}}}')
    terminal = terminals.Terminal(project.root)

    answer = terminal.type("theme", "lint", str(path), "--json")

    assert answer.exit_code == 1
    (finding,) = answer.document
    assert finding["name"] == "Pâle"
    assert finding["errors"][:2] == [
        "colors.ring 'red' is not a triplet like 188 82% 23%",
        "colors.background is missing",
    ]
