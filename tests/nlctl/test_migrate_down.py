"""nlctl migrate down: back by the ways that were written, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl.errors import InvalidInput, MigrationConflict, MigrationFailed, MigrationIrreversible
from nlctl.migrations import down

if TYPE_CHECKING:
    from pathlib import Path

    from tests.workshops import Workshop

HISTORY = "select version from supabase_migrations.schema_migrations order by version"
OURS = "select version from nlctl.migrations order by version"
TABLES = (
    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
)


def write(workshop: Workshop, version: int, up: str, back: str | None = None) -> None:
    """A migration, and the way back."""
    workshop.write(version, up)
    if back is not None:
        folder = workshop.folder / "down"
        folder.mkdir(exist_ok=True)
        (folder / f"{version}_a.down.sql").write_text(back)


def back(workshop: Workshop, **options: object) -> list[str]:
    """Go back; the versions undone."""
    undone = down.down(
        workshop.database.url,
        workshop.folder,
        "workshop",
        options=down.Options(**options),  # type: ignore[arg-type]
    )
    return [step.version for step in undone]


@pytest.fixture
def three(workshop: Workshop) -> Workshop:
    """Three applied files, each with a way back."""
    for version, name in ((1, "a"), (2, "b"), (3, "c")):
        write(workshop, version, f"create table public.{name} ();", f"drop table public.{name};")
    workshop.up()
    return workshop


def test_one_file_is_undone_by_default(three: Workshop) -> None:
    assert back(three) == ["3"]
    assert three.ask(TABLES) == ["a", "b"]


def test_what_is_undone_leaves_both_histories(three: Workshop) -> None:
    back(three)
    assert (three.ask(HISTORY), three.ask(OURS)) == (["1", "2"], ["1", "2"])


def test_what_is_undone_can_be_applied_again(three: Workshop) -> None:
    back(three)
    assert [applied.version for applied in three.up().applied] == ["3"]


def test_steps_go_back_newest_first(three: Workshop) -> None:
    assert back(three, steps=2) == ["3", "2"]


def test_the_version_one_goes_back_to_stays(three: Workshop) -> None:
    back(three, to="1")
    assert three.ask(HISTORY) == ["1"]


def test_zero_is_before_the_first(three: Workshop) -> None:
    back(three, to="0")
    assert three.ask(TABLES) == []


def test_a_rehearsed_way_back_changes_nothing(three: Workshop) -> None:
    answer = three.type("down", "--steps", "2", "--dry-run")
    assert answer.out.startswith("Would undo: 3 a (")
    assert (three.ask(HISTORY), three.ask(TABLES)) == (["1", "2", "3"], ["a", "b", "c"])


def test_a_file_without_a_way_back_is_irreversible(workshop: Workshop) -> None:
    write(workshop, 1, "create table public.a ();")
    write(workshop, 2, "create table public.b ();", "drop table public.b;")
    workshop.up()

    with pytest.raises(MigrationIrreversible, match=r"No way back from 1_a\.sql\. Nothing was run"):
        back(workshop, steps=2)
    assert workshop.ask(TABLES) == ["a", "b"]


def test_a_way_back_that_fails_undoes_nothing_of_its_file(workshop: Workshop) -> None:
    write(workshop, 1, "create table public.a ();", "drop table public.a;\nselect 1 / 0;")
    workshop.up()

    with pytest.raises(MigrationFailed, match=r"1_a\.down\.sql:2:1"):
        back(workshop)
    assert (workshop.ask(HISTORY), workshop.ask(TABLES)) == (["1"], ["a"])


def test_an_edited_file_is_not_undone(three: Workshop) -> None:
    three.write(3, "create table public.c (id int);")
    with pytest.raises(MigrationConflict, match=r"3_a\.sql is changed"):
        back(three)


def test_a_way_back_that_ends_its_transaction_is_refused(workshop: Workshop) -> None:
    write(workshop, 1, "create table public.a ();", "drop table public.a; commit;")
    workshop.up()
    with pytest.raises(InvalidInput, match="may not begin or end a transaction"):
        back(workshop)


def test_a_way_back_without_transaction_is_refused(workshop: Workshop) -> None:
    write(workshop, 1, "create table public.a ();", "-- nlctl: no-transaction\ndrop table a;")
    workshop.up()
    with pytest.raises(InvalidInput, match="runs in one transaction"):
        back(workshop)


def test_both_ways_to_say_how_far_are_too_many(three: Workshop) -> None:
    with pytest.raises(InvalidInput, match="not both"):
        back(three, to="1", steps=1)


def test_a_shared_target_is_asked_about_first(three: Workshop) -> None:
    assert three.type("down").exit_code == 2
    assert three.ask(HISTORY) == ["1", "2", "3"]


def test_down_says_what_it_undid(three: Workshop) -> None:
    assert three.type("down", "--yes").out.startswith("Undone: 3 a (")


def test_ways_back_are_no_migrations(three: Workshop) -> None:
    assert list(three.states()) == ["1", "2", "3"]


def test_a_way_back_among_the_migrations_is_refused(three: Workshop) -> None:
    (three.folder / "3_a.down.sql").write_text("drop table public.c;")
    with pytest.raises(InvalidInput, match=r"3_a\.down\.sql is a way back"):
        three.up()


@pytest.mark.usefixtures("scratch_room")
def test_check_goes_down_and_up_again_with_each_file(three: Workshop) -> None:
    assert three.type("check", "--no-lint").exit_code == 0


@pytest.mark.usefixtures("scratch_room")
def test_check_finds_a_way_back_that_leads_elsewhere(workshop: Workshop) -> None:
    write(
        workshop,
        1,
        "create table if not exists public.a (id int); grant select on public.a to anon;",
        "alter table public.a add extra text;",
    )
    workshop.up()
    assert workshop.type("check", "--no-lint").out == (
        "1_a.sql: after up, down and up: column public.a.extra: found, not expected\n"
    )


@pytest.mark.usefixtures("scratch_room")
def test_check_finds_a_file_that_does_not_come_up_again(workshop: Workshop) -> None:
    write(workshop, 1, "create table public.a ();", "select 1;")
    workshop.up()
    assert workshop.type("check", "--no-lint").out == (
        '1_a.sql: no way down and up again: 1_a.sql:1:1: relation "a" already exists '
        "(SQLSTATE 42P07). Nothing of this file was applied.\n"
    )


@pytest.mark.usefixtures("scratch_room")
def test_check_says_which_way_back_a_broken_file_bars(workshop: Workshop) -> None:
    write(workshop, 1, "create tabel public.a ();", "drop table public.a;")
    assert workshop.type("check", "--no-lint").out == (
        '1_a.sql: its way back was not tried: 1_a.sql:1:8: syntax error at or near "tabel" '
        "(SQLSTATE 42601). Nothing of this file was applied.\n"
    )


@pytest.mark.usefixtures("scratch_room")
def test_check_finds_a_way_back_from_nowhere(workshop: Workshop, tmp_path: Path) -> None:
    (workshop.folder / "down").mkdir()
    (workshop.folder / "down" / "7_gone.down.sql").write_text("select 1;")
    assert (
        workshop.type("check", "--no-lint").out == "down/7_gone.down.sql: belongs to no migration\n"
    )
