"""The frontend's build gets the fallback and the map it needs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nlctl import themes
from nlctl.errors import ThemeFileInvalid
from nlctl.themes import stylesheet
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project
    from nlctl.themes import Theme


@pytest.fixture
def kept(project: Project) -> list[Theme]:
    """The themes of this repository."""
    return themes.read(project.seeds / "themes")


@pytest.fixture
def light(kept: list[Theme]) -> Theme:
    """The default theme."""
    return themes.find(kept, None)


def test_every_token_is_a_variable_of_the_root(light: Theme) -> None:
    css = themes.write_css(light)

    root = re.search(r":root \{\n(.*?)\n\}", css, re.DOTALL)
    assert root is not None
    declared = dict(line.strip().rstrip(";").split(": ", 1) for line in root[1].splitlines())
    assert declared.pop("color-scheme") == "light"
    assert declared == {f"--{token.replace('.', '-')}": v for token, v in light.flat.items()}
    assert declared["--colors-primary"] == "188 82% 23%"


@pytest.mark.parametrize("name", ["backdrop-filter", "text-size-adjust"])
def test_a_prefixed_property_has_its_standard_twin_after_it(light: Theme, name: str) -> None:
    pairs = re.findall(
        rf"^  -webkit-{name}: (.*);\n  {name}: (.*);$", themes.write_css(light), re.MULTILINE
    )

    assert pairs
    assert all(prefixed == standard for prefixed, standard in pairs)


def test_the_browser_knows_which_themes_are_dark(kept: list[Theme]) -> None:
    schemes = {theme.slug: stylesheet.color_scheme(theme) for theme in kept}

    assert schemes == {
        "notionlab-clair": "light",
        "notionlab-contraste": "light",
        "notionlab-sombre": "dark",
    }


def test_the_tailwind_map_names_every_color_as_the_frontend_writes_it(light: Theme) -> None:
    extend = json.loads(themes.write_tailwind(light, as_module=False))

    assert extend["colors"] == {
        name: f"hsl(var(--colors-{name}))" for name in light.tokens["colors"]
    }
    assert extend["borderRadius"]["DEFAULT"] == "var(--radius-base)"
    assert extend["fontFamily"]["sans"] == "var(--fonts-sans)"
    assert extend["boxShadow"]["md"] == "var(--shadows-md)"


def test_the_map_is_an_es_module_or_json(light: Theme) -> None:
    module = themes.write_tailwind(light, as_module=True)

    document = re.fullmatch(r"export default (\{.*\});\n", module, re.DOTALL)
    assert document is not None
    assert document[1] + "\n" == themes.write_tailwind(light, as_module=False)


def test_numbers_and_booleans_are_written_as_css(light: Theme) -> None:
    theme = replace(light, tokens={**light.tokens, "motion": {"speed": 1.5, "reduced": True}})

    css = themes.write_css(theme)

    assert "  --motion-speed: 1.5;\n  --motion-reduced: true;\n" in css


def test_a_token_that_would_leave_its_rule_is_refused(light: Theme) -> None:
    theme = replace(light, tokens={**light.tokens, "radius": {"md": "0} body {display: none"}})

    with pytest.raises(ThemeFileInvalid, match=r"radius.md must be"):
        themes.write_css(theme)


def test_a_name_cannot_end_the_comment(light: Theme) -> None:
    css = themes.write_css(replace(light, name="a **// b"))

    assert css.splitlines()[0].index("*/") == len(css.splitlines()[0]) - 2


def test_the_command_writes_a_file(project: Project, tmp_path: Path, light: Theme) -> None:
    path = tmp_path / "theme.css"

    terminals.Terminal(project.root).type("theme", "css", "--output", str(path))

    assert path.read_text("utf-8") == themes.write_css(light)


@pytest.mark.parametrize(
    ("form", "start"), [("css", "/* NotionLab sombre"), ("js", "export"), ("json", "{")]
)
def test_the_command_writes_to_standard_output(project: Project, form: str, start: str) -> None:
    terminal = terminals.Terminal(project.root)

    answer = terminal.type("theme", "css", "notionlab-sombre", "--format", form)

    assert answer.exit_code == 0
    assert answer.out.startswith(start)


def test_a_folder_that_is_not_there_is_told(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "none" / "theme.css"

    answer = terminals.Terminal(project.root).type("theme", "css", "--output", str(path))

    assert answer.exit_code == 2
    assert "cannot be written" in answer.err
