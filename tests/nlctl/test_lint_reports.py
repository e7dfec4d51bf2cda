"""What a project allows, where a finding lies, and what squawk says of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl import project as projects
from nlctl.errors import InvalidInput, SquawkFailed
from nlctl.lints import Finding, allowances, places, squawk
from nlctl.lints.allowances import Allowance
from nlctl.migrations import files
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project
    from tests.terminals import Answer
    from tests.workshops import Workshop

SETTINGS = 'default_project = "p"\n[projects.p]\nmigrations = "migrations"\n'
BARE = Finding("row_level_security_is_on", "table public.t", "It is off.", "Turn it on.")


@pytest.fixture
def here(tmp_path: Path) -> Project:
    """A project without any migration yet, and without a database."""
    (tmp_path / "nlctl.toml").write_text(SETTINGS)
    (tmp_path / "migrations").mkdir()
    return projects.at(tmp_path)


def write(here: Project, version: int, text: str) -> Path:
    path = here.root / "migrations" / f"{version}_a.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_allowance_lets_its_object_pass_and_says_why() -> None:
    allowance = Allowance(BARE.lint, BARE.object, "Nothing in it matters.")
    assert allowances.sort_out([BARE], [allowance]) == ((), ((BARE, "Nothing in it matters."),))


@pytest.mark.parametrize(("lint", "thing"), [(BARE.lint, "table public.u"), ("x", BARE.object)])
def test_an_allowance_that_nothing_needs_is_a_finding(lint: str, thing: str) -> None:
    findings, allowed = allowances.sort_out([BARE], [Allowance(lint, thing, "Why?")])
    assert [finding.lint for finding in findings] == [BARE.lint, "allowance_is_used"]
    assert allowed == ()


@pytest.mark.parametrize(
    "text",
    [
        '[[allow]]\nlint = "a"\nobject = "b"',
        '[[allow]]\nlint = "a"\nobject = "b"\nreason = ""',
        'allow = ["all"]',
        "[[allow]",
    ],
)
def test_an_allowance_without_a_reason_is_refused(here: Project, text: str) -> None:
    (here.root / "lints.toml").write_text(text)
    with pytest.raises(InvalidInput, match=r"lints\.toml"):
        allowances.read(here)


CHAPTER = """-- Things.
create table public.things (
  id uuid primary key,
  parent_id uuid references public.things (id),
  constraint things_are_many check (true)
);
create unique index things_idx on public.things (parent_id);
create policy "Own things" on things for select using (true);
create policy "Own things" on public.things_of_others for select using (true);
create or replace function public.count_things(p_id uuid default null)
returns int language sql as 'select 1';
create materialized view if not exists public.old_things as select 1;
create table public."Odd (b.c) ""x"" y" ();
create policy "Own (x) on ""a.b"" y" on public."Odd (b.c) ""x"" y" using (true);
"""


@pytest.mark.parametrize(
    ("thing", "line"),
    [
        ("table public.things", 2),
        ("constraint things_are_many on public.things", 5),
        ("constraint things_parent_id_fkey on public.things", 2),
        ("index public.things_idx", 7),
        ('policy "Own things" on public.things', 8),
        ("function public.count_things(uuid)", 10),
        ("materialized view public.old_things", 12),
        ('table public."Odd (b.c) ""x"" y"', 13),
        ('policy "Own (x) on ""a.b"" y" on public."Odd (b.c) ""x"" y"', 14),
    ],
)
def test_a_finding_leads_to_the_line_that_made_it(here: Project, thing: str, line: int) -> None:
    write(here, 1, CHAPTER)
    write(here, 2, "create table public.thing (id int);")
    place = places.find(thing, files.read(here.root / "migrations"))
    assert place is not None
    assert (place[0].version, place[1]) == ("1", line)


@pytest.mark.parametrize(
    "thing", ["table public.thin", "extension pg_trgm", "policy p on public.a"]
)
def test_what_no_migration_makes_has_no_place(here: Project, thing: str) -> None:
    write(here, 1, CHAPTER)
    assert places.find(thing, files.read(here.root / "migrations")) is None


def test_squawk_names_the_line_that_would_lock(here: Project) -> None:
    path = write(here, 1, "-- Faster.\ncreate index i on public.t (id);")
    found = squawk.check(here, [path])
    assert ("require-concurrent-index-creation", "migrations/1_a.sql:2") in {
        (finding.lint, finding.place) for finding in found
    }


def test_squawk_hears_the_settings_of_the_project(here: Project) -> None:
    path = write(here, 1, "create index concurrently if not exists i on public.t (id);")
    (here.root / ".squawk.toml").write_text('excluded_rules = ["require-timeout-settings"]')
    assert squawk.check(here, [path]) == []


def test_settings_that_squawk_cannot_read_stop_the_check(here: Project) -> None:
    path = write(here, 1, "select 1;")
    (here.root / ".squawk.toml").write_text("excluded_rules = [")
    with pytest.raises(SquawkFailed):
        squawk.check(here, [path])


def test_without_squawk_one_note_says_what_was_not_looked_for(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    notes: list[str] = []
    assert squawk.check(here, [write(here, 1, "")], notes.append) == []
    assert len(notes) == 1
    assert "squawk-cli" in notes[0]


def type_lint(workshop: Workshop, *words: str) -> Answer:
    return terminals.Terminal(workshop.root).type("rls", "lint", *words)


def test_the_command_tells_what_to_mend_and_where(workshop: Workshop) -> None:
    workshop.write(1, "create table public.t (id int primary key);")
    workshop.up()
    answer = type_lint(workshop, "--json")
    assert answer.exit_code == 1
    found = {each["lint"]: each for each in answer.document["findings"]}
    assert set(found) >= {"row_level_security_is_on", "everything_has_a_comment"}
    assert found["row_level_security_is_on"]["file"] == "migrations/1_a.sql"
    assert found["row_level_security_is_on"]["line"] == 1


def test_the_command_is_content_where_every_promise_is_kept(workshop: Workshop) -> None:
    answer = type_lint(workshop)
    assert answer.out == "Every promise is kept.\n"
    assert answer.exit_code == 0
