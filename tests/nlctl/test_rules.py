"""Pages follow a database: what it holds they tell, what people wrote they keep."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl import rules
from nlctl.local import scratch
from tests.terminals import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.project import Project
    from tests.terminals import Answer
    from tests.workshops import Workshop

LIBRARY = (Path(__file__).parent / "library.sql").read_text(encoding="utf-8")
ROOMS = """-- Réunions: rooms people meet in.
create table public.rooms (id uuid primary key);
comment on table public.rooms is 'Four walls.';
"""


@pytest.fixture
def library(workshop: Workshop) -> Workshop:
    """A project whose pages were built from its one migration."""
    workshop.write(20300102030405, LIBRARY, "library")
    workshop.up()
    run(workshop, "build")
    return workshop


def run(workshop: Workshop, *words: str) -> Answer:
    return Terminal(workshop.root).type("rules", *words, "--target", "scratch")


def page(workshop: Workshop, name: str = "library") -> str:
    return (workshop.root / "rules" / f"{name}.md").read_bytes().decode()


def migrate(workshop: Workshop, version: int, sql: str) -> None:
    workshop.write(version, sql)
    workshop.up()


def test_the_first_build_says_which_pages_it_made(workshop: Workshop) -> None:
    workshop.write(1, ROOMS)
    workshop.up()

    built = run(workshop, "build")

    assert (built.exit_code, built.out) == (0, "README.md: made\nreunions.md: made\n")


def test_a_second_build_has_nothing_to_write(library: Workshop) -> None:
    before = page(library)

    assert run(library, "build").out == "2 pages say what the database says.\n"
    assert page(library) == before


def test_check_names_the_page_that_is_stale_and_shows_why(library: Workshop) -> None:
    library.database.run("comment on column public.loans.due_on is 'Un soir.'")
    before = page(library)

    checked = run(library, "check")

    assert checked.exit_code == 1
    assert checked.out.splitlines()[0] == "library.md: stale"
    assert "+| `due_on` | `date` | yes |  | Un soir. |" in checked.out.splitlines()
    assert page(library) == before


def test_check_is_content_with_fresh_pages(library: Workshop) -> None:
    assert run(library, "check").exit_code == 0


def test_machines_hear_the_state_of_each_page(library: Workshop) -> None:
    library.database.run("comment on function public.borrow_item is 'Emporte.'")

    checked = run(library, "check", "--json").document["pages"]
    built = run(library, "build", "--json").document["pages"]

    assert [(p["page"], p["state"], bool(p["diff"])) for p in checked] == [
        ("README.md", "stale", True),
        ("library.md", "stale", True),
    ]
    assert built[1] == {"page": "library.md", "state": "stale"}


def test_a_long_difference_is_cut_short(library: Workshop) -> None:
    (library.root / "rules" / "library.md").unlink()

    lines = run(library, "check").out.splitlines()

    assert lines[0] == "library.md: new"
    assert lines[-1].endswith("more lines")
    assert len(lines) < 30


def test_a_new_domain_gets_a_page_and_the_others_stay(library: Workshop) -> None:
    before = page(library)

    migrate(library, 20300102030406, ROOMS)

    assert run(library, "build").out == "README.md: written anew\nreunions.md: made\n"
    assert "Four walls." in page(library, "reunions")
    assert page(library) == before


def test_what_is_dropped_leaves_the_page_and_the_notes_stay(library: Workshop) -> None:
    path = library.root / "rules" / "library.md"
    path.write_text(page(library) + "Une étagère à monter.", encoding="utf-8", newline="\n")
    migrate(library, 20300102030406, "drop view public.open_loans;")

    run(library, "build")

    assert "open_loans" not in page(library)
    assert page(library).endswith("<!-- AUTO:END -->\nUne étagère à monter.")


def test_the_page_of_a_domain_that_is_gone_is_reported_and_kept(library: Workshop) -> None:
    migrate(library, 20300102030406, ROOMS)
    run(library, "build")
    library.database.run("drop table public.rooms")

    built, checked = run(library, "build"), run(library, "check")

    said = "reunions.md: its domain is gone; delete it, or its AUTO part.\n"
    assert built.out == f"README.md: written anew\n{said}"
    assert (checked.exit_code, checked.out) == (1, said)
    assert "Four walls." in page(library, "reunions")


def test_a_page_without_parts_is_left_to_its_author(library: Workshop) -> None:
    (library.root / "rules" / "conventions.md").write_text("Bonjour.", encoding="utf-8")

    assert run(library, "check").exit_code == 0


def test_one_broken_page_keeps_all_from_being_written(library: Workshop) -> None:
    migrate(library, 20300102030406, ROOMS)
    path = library.root / "rules" / "library.md"
    path.write_text(page(library).replace("<!-- AUTO:END -->\n", ""), encoding="utf-8")

    built = run(library, "build")

    assert built.exit_code == 2
    assert built.err.startswith("error: rules/library.md:8: AUTO:BEGIN without AUTO:END.")
    assert not (library.root / "rules" / "reunions.md").exists()


def test_a_page_that_is_not_utf_8_is_refused(library: Workshop) -> None:
    (library.root / "rules" / "library.md").write_bytes("a\né".encode("latin-1"))

    assert "rules/library.md:2: not UTF-8" in run(library, "build").err


def test_a_file_without_a_domain_is_refused(workshop: Workshop) -> None:
    migrate(workshop, 1, "create table public.rooms (id uuid primary key);")

    built = run(workshop, "build")

    assert built.exit_code == 2
    assert "1_a.sql:1: the file does not say which domain" in built.err


def test_what_only_a_block_makes_is_refused_until_a_comment_names_it(workshop: Workshop) -> None:
    made = "do $$ begin execute 'create table public.rooms (id uuid primary key)'; end; $$;"
    migrate(workshop, 1, f"-- Rooms: here.\ncreate schema app;\n{made}")
    refused = run(workshop, "build")

    migrate(workshop, 2, "-- Rooms: here.\ncomment on table public.rooms is 'Four walls.';")

    assert "No migration makes by name: public.rooms." in refused.err
    assert run(workshop, "build").exit_code == 0
    assert "Four walls." in page(workshop, "rooms")


def test_domains_are_told_in_names_however_they_are_written(workshop: Workshop) -> None:
    sql = """-- Odd names: quoted, folded and without a schema.
        create table "Kept Rooms" (id uuid primary key, "a|b" text);
        create table PUBLIC.Old_Rooms (id uuid primary key);
        alter table public.old_rooms rename to new_rooms;
        create materialized view if not exists public.seen as select 1 as one;
        create function two(a int) returns int language sql as 'select 2';
        create function two(a text) returns int language sql as 'select 2';
        """
    migrate(workshop, 1, sql)

    built = run(workshop, "build")

    assert built.exit_code == 0
    told = page(workshop, "odd-names")
    assert "ANCHOR:TABLE:Kept Rooms " in told
    assert "ANCHOR:TABLE:new_rooms " in told
    assert "ANCHOR:VIEW:seen " in told
    assert "ANCHOR:RPC:two(a integer) " in told
    assert "| `a\\|b` |" in told


def test_pages_of_another_project_have_a_folder_of_their_own(project: Project) -> None:
    assert rules.folder_of(project, "notionlab") == project.root / "rules"
    assert rules.folder_of(project, "assistant") == project.root / "rules" / "assistant"


def test_without_a_target_the_pages_tell_of_a_scratch_database(
    library: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    @contextmanager
    def migrated(project: object, name: str) -> Iterator[str]:
        asked.append(name)
        yield library.database.url

    monkeypatch.setattr(scratch, "migrated", migrated)

    assert Terminal(library.root).type("rules", "check").exit_code == 0
    assert asked == ["workshop"]
