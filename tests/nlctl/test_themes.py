"""Themes travel between files and database, and one of them is active whatever happens."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from nlctl import themes
from nlctl.errors import DamagedText, ThemeFileInvalid, ThemeRefused, UnknownTheme
from nlctl.themes import files
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

LIGHT, DARK, CONTRAST = "NotionLab clair", "NotionLab sombre", "NotionLab contraste"
TOKENS = {"colors": {"background": "40 33% 98%"}, "radius": {"md": "0.5rem"}}


@pytest.fixture
def folder(project: Project, tmp_path: Path) -> Path:
    """The theme files of this repository, to change at will."""
    copy = tmp_path / "seeds" / "themes"
    shutil.copytree(project.seeds / "themes", copy)
    return copy


def write(folder: Path, slug: str, **changes: Any) -> None:
    document = {"name": slug, "is_default": False, "tokens": TOKENS, **changes}
    (folder / f"{slug}.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def edit(folder: Path, slug: str, color: str, value: str) -> None:
    path = folder / f"{slug}.json"
    document = json.loads(path.read_text("utf-8"))
    document["tokens"]["colors"][color] = value
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def recolor(database: Database, name: str, color: str, value: str) -> None:
    database.run(
        "update public.themes"
        " set tokens = jsonb_set(tokens, array['colors', %s], to_jsonb(%s::text)) where name = %s",
        (color, value, name),
    )


def color(database: Database, name: str, token: str) -> str:
    ((value,),) = database.run(
        "select tokens -> 'colors' ->> %s from public.themes"
        " where name = %s and deleted_at is null",
        (token, name),
    )
    return str(value)


def snapshot(database: Database) -> list[Any]:
    return database.run("select id, xmin::text, updated_at from public.themes order by id")


def test_a_first_push_creates_them_all_and_activates_the_default(
    database: Database, folder: Path
) -> None:
    database.run("update public.themes set is_default = false")
    database.run("truncate public.themes")

    pushed = themes.push(database.url, folder)

    assert pushed.outcomes == dict.fromkeys([LIGHT, CONTRAST, DARK], "created")
    assert (pushed.activated, themes.active_name(database.url)) == (LIGHT, LIGHT)


def test_a_visitor_reads_the_pushed_tokens(
    database: Database, visitor: Person, folder: Path
) -> None:
    default = themes.find(themes.read(folder), None)

    assert visitor.rpc("get_active_theme_tokens") == default.tokens


def test_a_second_push_touches_nothing(database: Database, folder: Path) -> None:
    before = snapshot(database)

    pushed = themes.push(database.url, folder)

    assert set(pushed.outcomes.values()) == {"unchanged"}
    assert snapshot(database) == before


def test_a_push_updates_what_differs_and_leaves_the_active_one_active(
    database: Database, folder: Path
) -> None:
    themes.activate(database.url, DARK)
    edit(folder, "notionlab-clair", "ring", "200 50% 30%")

    pushed = themes.push(database.url, folder)

    assert pushed.outcomes == {LIGHT: "updated", CONTRAST: "unchanged", DARK: "unchanged"}
    assert pushed.activated is None
    assert color(database, LIGHT, "ring") == "200 50% 30%"
    assert themes.active_name(database.url) == DARK


def test_what_an_admin_changed_survives_a_push_of_what_is_missing(
    database: Database, person: MakePerson, folder: Path
) -> None:
    admin = person("admin")
    admin.run(
        "update public.themes"
        " set tokens = jsonb_set(tokens, '{colors,ring}', '\"1 1%% 1%%\"') where name = %s",
        (LIGHT,),
    )
    admin.run("delete from public.themes where name = %s", (DARK,))
    before = snapshot(database)

    pushed = themes.push(database.url, folder, only_missing=True)

    assert set(pushed.outcomes.values()) == {"left alone"}
    assert snapshot(database) == before


def test_a_full_push_brings_a_deleted_theme_back(database: Database, folder: Path) -> None:
    database.run("delete from public.themes where name = %s", (DARK,))

    pushed = themes.push(database.url, folder)

    assert pushed.outcomes[DARK] == "created"
    assert DARK in [theme.name for theme in themes.fetch(database.url)]


def test_a_dry_push_reports_and_writes_nothing(database: Database, folder: Path) -> None:
    edit(folder, "notionlab-clair", "ring", "200 50% 30%")
    write(folder, "neuf")
    before = snapshot(database)

    pushed = themes.push(database.url, folder, dry_run=True)

    assert (pushed.outcomes[LIGHT], pushed.outcomes["neuf"]) == ("updated", "created")
    assert snapshot(database) == before


def test_names_are_compared_exactly(database: Database, folder: Path) -> None:
    write(folder, "autre", name="notionlab clair")

    pushed = themes.push(database.url, folder)

    assert pushed.outcomes["notionlab clair"] == "created"


def test_a_faulty_theme_stops_the_push_before_any_write(database: Database, folder: Path) -> None:
    edit(folder, "notionlab-clair", "ring", "200 50% 30%")
    edit(folder, "notionlab-sombre", "ring", "red")
    before = snapshot(database)

    with pytest.raises(ThemeFileInvalid, match=r"NotionLab sombre: colors.ring 'red' is not"):
        themes.push(database.url, folder)

    assert snapshot(database) == before


def test_what_only_the_database_refuses_is_told_in_one_line(
    database: Database, folder: Path
) -> None:
    write(folder, "long", name="x" * 81)

    with pytest.raises(ThemeRefused, match=r"themes_name_length.*Nothing was written"):
        themes.push(database.url, folder)


def test_a_database_without_themes_says_what_to_run(empty_database: Database, folder: Path) -> None:
    with pytest.raises(ThemeRefused) as refusal:
        themes.push(empty_database.url, folder)

    assert refusal.value.hint == "Run: nlctl migrate up"


def test_pushes_at_the_same_time_end_with_one_of_each(database: Database, folder: Path) -> None:
    database.run("update public.themes set is_default = false")
    database.run("truncate public.themes")
    start = threading.Barrier(6)

    def run(_number: int) -> bool:
        start.wait()
        return themes.push(database.url, folder).activated is not None

    with ThreadPoolExecutor(6) as pool:
        activations = sorted(pool.map(run, range(6)))

    assert activations == [False] * 5 + [True]
    assert [theme.name for theme in themes.fetch(database.url)] == [LIGHT, CONTRAST, DARK]


def test_an_operator_activates_a_theme_by_name_or_slug(database: Database) -> None:
    themes.activate(database.url, DARK)
    assert themes.active_name(database.url) == DARK

    themes.activate(database.url, "notionlab-contraste")
    assert themes.active_name(database.url) == CONTRAST


def test_activating_nothing_known_changes_nothing(database: Database) -> None:
    with pytest.raises(UnknownTheme, match="No theme is called 'minuit'"):
        themes.activate(database.url, "minuit")

    assert themes.active_name(database.url) == LIGHT


def test_a_database_without_an_active_theme_has_no_name_for_it(database: Database) -> None:
    database.run("update public.themes set is_default = false")

    assert themes.active_name(database.url) is None


def test_a_pull_writes_only_what_differs(
    database: Database, project: Project, folder: Path
) -> None:
    recolor(database, DARK, "ring", "200 50% 60%")

    first = themes.pull(database.url, folder)
    second = themes.pull(database.url, folder)

    assert [path.name for path in first] == ["notionlab-sombre.json"]
    assert second == []
    before = (project.seeds / "themes" / "notionlab-sombre.json").read_text("utf-8")
    assert first[0].read_text("utf-8") == before.replace(
        '"ring": "174 60% 60%"', '"ring": "200 50% 60%"'
    )


def test_a_pull_then_a_push_changes_nothing(database: Database, tmp_path: Path) -> None:
    themes.pull(database.url, tmp_path / "new")
    before = snapshot(database)

    themes.push(database.url, tmp_path / "new")

    assert snapshot(database) == before
    assert themes.compare(themes.read(tmp_path / "new"), themes.fetch(database.url)) == []


def test_a_theme_made_in_the_database_gets_a_file_of_its_own(
    database: Database, folder: Path
) -> None:
    database.run(
        "insert into public.themes (name, tokens) values ('Été indien', %s)", (json.dumps(TOKENS),)
    )
    write(folder, "ete-indien", name="Un autre été")

    written = themes.pull(database.url, folder, ["Été indien"])

    assert [path.name for path in written] == ["ete-indien-2.json"]
    assert '"name": "Été indien"' in written[0].read_text("utf-8")


def test_two_new_themes_never_share_a_file(database: Database, tmp_path: Path) -> None:
    for name in ("Été", "Ete"):
        database.run(
            "insert into public.themes (name, tokens) values (%s, %s)", (name, json.dumps(TOKENS))
        )

    written = themes.pull(database.url, tmp_path, ["Été", "Ete"])

    assert [path.name for path in written] == ["ete.json", "ete-2.json"]


def test_a_pull_leaves_the_default_of_the_files_alone(database: Database, folder: Path) -> None:
    themes.activate(database.url, DARK)

    themes.pull(database.url, folder, [DARK])

    assert themes.find(themes.read(folder), None).name == LIGHT


def test_a_pull_into_a_new_folder_makes_the_active_theme_the_default(
    database: Database, tmp_path: Path
) -> None:
    themes.activate(database.url, DARK)

    themes.pull(database.url, tmp_path / "new")

    assert themes.find(themes.read(tmp_path / "new"), None).name == DARK


def test_differences_are_told_token_by_token(database: Database, folder: Path) -> None:
    recolor(database, DARK, "ring", "200 50% 60%")
    write(folder, "neuf")

    differences = themes.compare(themes.read(folder), themes.fetch(database.url))

    assert [(d.theme, d.token, d.file, d.database) for d in differences] == [
        (DARK, "colors.ring", "174 60% 60%", "200 50% 60%"),
        ("neuf", None, "present", None),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "a.json: a theme has exactly name, is_default and tokens"),
        ('{"name": "a", "tokens": {}}', "a.json: a theme has exactly"),
        ('{"name": "", "is_default": true, "tokens": {}}', "a.json: name must be a text"),
        ('{"name": "a", "is_default": 1, "tokens": {}}', "a.json: is_default must be true"),
        ('{"name": "a", "is_default": true, "tokens": 1}', "a.json: tokens must be an object"),
        ('{"name": "a",\n"name": "b"}', "a.json: 'name' is said twice"),
        ('{"name": "a",\n,}', "a.json:2: "),
        ('{"name": "a", "is_default": true, "tokens": {"a": {"b": NaN}}}', "a.json: NaN is not"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "a.json").write_text(text)

    with pytest.raises(ThemeFileInvalid, match=fault):
        themes.read(tmp_path)


def test_a_name_with_lost_accents_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", name="ThÃ¨me")

    with pytest.raises(DamagedText, match=r"a.json:1: damaged accents"):
        themes.read(tmp_path)


def test_two_themes_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", name="Clair")
    write(tmp_path, "b", name="Clair")

    with pytest.raises(ThemeFileInvalid, match=r"b.json and a.json are both called 'Clair'"):
        themes.read(tmp_path)


def test_two_defaults_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a", is_default=True)
    write(tmp_path, "b", is_default=True)

    with pytest.raises(ThemeFileInvalid, match=r"Only one theme can be the default: a.json, b.js"):
        themes.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "slug"), [("Été indien", "ete-indien"), ("  A & B  ", "a-b"), ("夜", "theme")]
)
def test_a_name_makes_a_file_name(name: str, slug: str) -> None:
    assert files.slug_of(name) == slug


def test_the_commands_tell_the_story_of_a_theme(
    database: Database, folder: Path, tmp_path: Path
) -> None:
    terminal = terminals.open_in(tmp_path, database.url)
    edit(folder, "notionlab-sombre", "ring", "200 50% 60%")

    differs = terminal.type("theme", "diff", "--exit-code")
    pushed = terminal.type("theme", "push")
    same = terminal.type("theme", "diff", "--exit-code")
    activated = terminal.type("theme", "activate", DARK)
    listed = terminal.type("theme", "list")

    assert differs.exit_code == 1
    assert "NotionLab sombre  colors.ring  200 50% 60%  174 60% 60%" in differs.out.splitlines()
    assert "NotionLab sombre     updated" in pushed.out.splitlines()
    assert (same.exit_code, same.out) == (0, "The database says what the files say.\n")
    assert activated.out == "NotionLab sombre is active.\n"
    assert "*  NotionLab sombre" in listed.out


def test_the_commands_speak_json(database: Database, folder: Path, tmp_path: Path) -> None:
    terminal = terminals.open_in(tmp_path, database.url)

    listed = terminal.type("theme", "list", "--json").document
    shown = terminal.type("theme", "show", DARK, "--json").document
    pushed = terminal.type("theme", "push", "--dry-run", "--json").document
    pulled = terminal.type("theme", "pull", "--json").document
    differs = terminal.type("theme", "diff", "--json").document
    activated = terminal.type("theme", "activate", LIGHT, "--json").document

    assert [theme["name"] for theme in listed if theme["is_active"]] == [LIGHT]
    assert shown["tokens"]["colors"]["ring"] == "174 60% 60%"
    assert (pushed["dry_run"], pushed["activated"]) == (True, None)
    assert (pulled, differs, activated) == ({"written": []}, [], {"active": LIGHT})


def test_the_active_theme_is_shown_by_default(database: Database, tmp_path: Path) -> None:
    answer = terminals.open_in(tmp_path, database.url).type("theme", "show")

    assert answer.out.splitlines()[0] == "NotionLab clair (active)"


def test_an_unknown_theme_is_told_with_those_there_are(database: Database, tmp_path: Path) -> None:
    answer = terminals.open_in(tmp_path, database.url).type("theme", "show", "minuit")

    assert answer.exit_code == 2
    assert answer.err == (
        "error: No theme is called 'minuit'."
        " Known: notionlab-clair, notionlab-contraste, notionlab-sombre.\n"
    )
