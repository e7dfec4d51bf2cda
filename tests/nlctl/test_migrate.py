"""nlctl migrate: applies files once and in order, and says how files and database stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl.errors import (
    ForeignDatabase,
    HistoryUnavailable,
    InvalidInput,
    MigrationConflict,
    MigrationFailed,
)
from nlctl.migrations import lock, runner

if TYPE_CHECKING:
    from nlctl.migrations.runner import Applied
    from tests.workshops import Workshop

CLI_TABLE = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations
  (version text not null primary key);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;
"""
CLI_ROW = """
insert into supabase_migrations.schema_migrations (version, name, statements) values (%s, %s, %s)
"""
HISTORY = "select version from supabase_migrations.schema_migrations order by version"
DEFERRED = """
create table p (id int primary key);
create table c (p int references p deferrable initially deferred);
insert into c values (1);
"""
TABLE_A = "-- A.\ncreate table public.a (id int primary key);\n"


def test_pending_files_are_applied_in_order(workshop: Workshop) -> None:
    workshop.write(10, "insert into public.a values (1);")
    workshop.write(9, TABLE_A)
    assert [applied.version for applied in workshop.up().applied] == ["9", "10"]


def test_a_second_up_has_nothing_to_do(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    assert workshop.up().applied == ()


def test_up_says_what_it_applied(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    assert workshop.type("up").out.startswith("Applied 1_a.sql (")


def test_up_answers_machines(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    document = workshop.type("up", "--json").document
    assert [applied["file"] for applied in document["applied"]] == ["1_a.sql"]


def test_an_empty_folder_leaves_nothing_to_do(workshop: Workshop) -> None:
    assert workshop.type("up").out == "Nothing to apply.\n"


def test_an_absent_folder_is_said_to_be_absent(workshop: Workshop) -> None:
    workshop.folder.rmdir()
    assert "There is no folder" in workshop.type("up").err


def test_a_skipped_file_is_named(workshop: Workshop) -> None:
    (workshop.folder / "loans.sql").write_text("select 1;")
    assert "Skipped loans.sql" in workshop.type("up").err


def test_up_stops_after_the_version_it_was_given(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, "select 1;")
    assert [applied.version for applied in workshop.up(to="1").applied] == ["1"]


@pytest.mark.parametrize("applied", [False, True])
def test_an_unknown_version_to_stop_after_is_refused(workshop: Workshop, applied: bool) -> None:
    workshop.write(1, TABLE_A)
    if applied:
        workshop.up()
    with pytest.raises(InvalidInput, match="no migration 7"):
        workshop.up(to="7")


def test_what_stands_before_the_run_is_what_pending_names(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    pending = runner.pending(workshop.database.url, workshop.folder, "workshop")
    assert pending == ("1_a.sql",)


def test_new_makes_a_file_that_up_accepts_once_it_is_written(workshop: Workshop) -> None:
    path = workshop.root / workshop.type("new", "loans").out.strip()
    path.write_text(TABLE_A)
    assert workshop.type("status", "--json").document[0]["state"] == "pending"


# The history


def test_the_history_is_what_the_supabase_cli_would_have_written(workshop: Workshop) -> None:
    workshop.write(20260110120000, f"{TABLE_A}\n\n select $$;$$ ; -- done\n", "loans")
    workshop.up()
    rows = workshop.database.run(
        "select version, name, statements from supabase_migrations.schema_migrations"
    )
    statements = ["-- A.\ncreate table public.a (id int primary key)", "select $$;$$"]
    assert rows == [("20260110120000", "loans", statements)]


def test_our_row_keeps_the_file_its_hash_and_who_ran_it(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    [(source, sha256, person)] = workshop.database.run(
        "select source, sha256 = encode(sha256(convert_to(source, 'UTF8')), 'hex'), applied_by"
        " from nlctl.migrations where state = 'applied' and duration_ms >= 0"
    )
    assert (source, sha256, "@" in person) == (TABLE_A, True, True)


def test_a_row_of_the_supabase_cli_counts_as_applied(workshop: Workshop) -> None:
    workshop.write(1, f"{TABLE_A}\n-- the end\n")
    workshop.write(2, "create table public.b (id int references public.a);")
    workshop.database.run(CLI_TABLE)
    workshop.database.run(TABLE_A)
    statement = "-- A.\r\ncreate table public.a (id int primary key)"
    workshop.database.run(CLI_ROW, ("1", "a", [statement, "-- the end"]))
    assert [applied.version for applied in workshop.up().applied] == ["2"]


def test_an_old_history_without_statements_is_completed(workshop: Workshop) -> None:
    workshop.database.run("drop schema if exists supabase_migrations cascade")
    workshop.database.run(
        "create schema supabase_migrations;"
        "create table supabase_migrations.schema_migrations (version text primary key);"
        "insert into supabase_migrations.schema_migrations values ('1')"
    )
    workshop.write(1, TABLE_A)
    workshop.write(2, "select 1;")
    workshop.up()
    assert workshop.states() == {"1": "applied", "2": "applied"}


def test_a_row_of_the_cli_whose_file_differs_is_changed(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.database.run(CLI_TABLE)
    workshop.database.run(CLI_ROW, ("1", "a", ["create table public.a (id bigint primary key)"]))
    with pytest.raises(MigrationConflict, match=r"-create table public\.a \(id bigint"):
        workshop.up()


def test_a_row_the_cli_wrote_anew_is_believed_over_ours(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    path.write_text("create table public.a (id bigint primary key);")
    workshop.database.run("delete from supabase_migrations.schema_migrations")
    workshop.database.run(CLI_ROW, ("1", "a", ["create table public.a (id bigint primary key)"]))
    assert workshop.states() == {"1": "applied"}


def test_a_row_the_cli_deleted_is_pending_again(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.database.run("delete from supabase_migrations.schema_migrations")
    assert workshop.states() == {"1": "pending"}


def test_objects_belong_to_postgres_whoever_signs_in(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    runner.up(workshop.database.admin_url, workshop.folder, "workshop")
    owners = workshop.ask(
        "select distinct relowner::regrole::text from pg_class"
        " where relkind = 'r' and relnamespace in ('public'::regnamespace, 'nlctl'::regnamespace)"
    )
    assert owners == ["postgres"]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_callers_of_the_data_api_cannot_look_into_our_schema(workshop: Workshop, role: str) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    assert workshop.ask("select has_schema_privilege(%s, 'nlctl', 'usage')", (role,)) == [False]


def test_every_table_of_ours_says_what_it_is(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    silent = workshop.ask(
        "select relname from pg_class where relnamespace = 'nlctl'::regnamespace"
        " and relkind = 'r' and obj_description(oid, 'pg_class') is null"
    )
    assert silent == []


def test_the_data_api_is_told_to_look_again(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    with workshop.database.connect() as listener:
        listener.execute("listen pgrst")
        workshop.up()
        heard = {notice.payload for notice in listener.notifies(timeout=5, stop_after=1)}
    assert heard == {"reload schema"}


# One file, one transaction


def test_what_one_file_sets_does_not_reach_the_next(workshop: Workshop) -> None:
    workshop.write(1, "set search_path = ''; set role anon; create temp table a (id int);")
    workshop.write(2, "create table a (id int);")
    workshop.up()
    assert workshop.ask("select relowner::regrole::text from pg_class where oid = 'a'::regclass")


def test_a_failing_file_leaves_nothing_behind(workshop: Workshop) -> None:
    workshop.write(1, f"{TABLE_A} select 1 / 0;")
    with pytest.raises(MigrationFailed):
        workshop.up()
    assert workshop.ask("select to_regclass('public.a')") == [None]


def test_the_files_before_a_failing_one_stay_applied(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, "select 1 / 0;")
    with pytest.raises(MigrationFailed):
        workshop.up()
    assert workshop.states() == {"1": "applied", "2": "pending"}


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("select 1;\n\n  select 1 / 0;", "1_a.sql:3:3"),
        ("create table t (\n  id int,\n  n foo\n);", "1_a.sql:3:5"),
        ("-- é\nselect 'é', nothing;", "1_a.sql:2:13"),
        ("/* why */ selekt 1;", "1_a.sql:1:11"),
        ("select 1;\ndo $$ begin perform 1 / 0; end $$;", "1_a.sql:2:1"),
        (DEFERRED, "1_a.sql, at its end"),
    ],
)
def test_an_error_is_told_with_its_place(workshop: Workshop, sql: str, place: str) -> None:
    workshop.write(1, sql)
    with pytest.raises(MigrationFailed) as failure:
        workshop.up()
    assert failure.value.message.startswith(f"{place}: ")


def test_an_error_shows_the_statement_and_all_the_server_said(workshop: Workshop) -> None:
    workshop.write(
        1,
        "do $$ begin raise exception 'Trop tard.' using"
        " errcode = '23514', detail = 'le détail', hint = 'l''astuce'; end $$;",
    )
    lines = workshop.type("up").err.splitlines()
    assert "Trop tard. (SQLSTATE 23514)" in lines[0]
    assert {"    detail: le détail", "    hint: l'astuce"} <= set(lines)
    assert any(line.startswith("    statement: do $$ begin raise") for line in lines)


def test_an_error_of_many_lines_is_summed_up_in_one(workshop: Workshop) -> None:
    workshop.write(1, "do $$ begin raise exception E'first\\nsecond'; end $$;")
    lines = workshop.type("up").err.splitlines()
    assert ("first (SQLSTATE P0001)" in lines[0], lines[1:3]) == (
        True,
        ["    do $$ begin raise exception E'first\\nsecond'; end $$;", "    ^"],
    )


def test_a_failing_file_has_an_exit_code_of_its_own(workshop: Workshop) -> None:
    workshop.write(1, "select 1 / 0;")
    assert workshop.type("up").exit_code == 5


def test_a_statement_that_no_transaction_may_hold_comes_with_the_way_out(
    workshop: Workshop,
) -> None:
    workshop.write(1, "call public.stop();")
    workshop.database.run(
        "create procedure public.stop() language plpgsql as $$"
        "begin raise exception using errcode = '25001', message = 'not in here'; end $$"
    )
    with pytest.raises(MigrationFailed, match="-- nlctl: no-transaction"):
        workshop.up()


def test_nothing_runs_while_a_later_file_cannot_be_applied(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, "create index concurrently a_idx on public.a (id);")
    with pytest.raises(InvalidInput, match="cannot run in a transaction"):
        workshop.up()
    assert workshop.states() == {"1": "pending", "2": "pending"}


def test_what_the_server_says_meanwhile_is_passed_on(workshop: Workshop) -> None:
    workshop.write(1, "do $$ begin raise warning 'Déjà vu'; end $$;")
    assert "WARNING: Déjà vu" in workshop.type("up").err


# Dry runs


def test_a_dry_run_executes_everything_and_keeps_nothing(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, "insert into public.a values (1);")
    outcome = workshop.up(dry_run=True)
    left = workshop.ask(
        "select to_regclass('public.a') is null and to_regnamespace('nlctl') is null"
    )
    assert ([applied.version for applied in outcome.applied], left) == (["1", "2"], [True])


def test_a_dry_run_finds_the_error(workshop: Workshop) -> None:
    workshop.write(1, "select 1 / 0;")
    with pytest.raises(MigrationFailed, match=r"1_a\.sql:1:1: division by zero"):
        workshop.up(dry_run=True)


def test_a_dry_run_says_what_would_happen_and_how_long_it_took(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    answer = workshop.type("up", "--dry-run")
    assert answer.out.startswith("Would apply 1_a.sql (")
    assert "rolled back" in answer.err


def test_a_dry_run_names_the_files_it_cannot_try(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.write(2, "-- nlctl: no-transaction\ncreate index concurrently on public.a (id);")
    assert workshop.up(dry_run=True).left_out == ("2_a.sql",)


# When files and history disagree


def test_an_edited_file_is_refused_with_both_hashes_and_a_diff(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    [before] = workshop.ask("select sha256 from nlctl.migrations")
    path.write_text(f"{TABLE_A}-- an afterthought\n")
    answer = workshop.type("up")
    after = workshop.type("status", "--json").document[0]["sha256"]
    assert answer.exit_code == 4
    assert before in answer.err
    assert after in answer.err
    assert "    +-- an afterthought" in answer.err.splitlines()


def test_space_between_statements_is_no_edit(workshop: Workshop) -> None:
    path = workshop.write(1, f"{TABLE_A}\n\ncomment on table public.a is 'A';\n-- The end.\n")
    workshop.up()
    path.write_text(f"{TABLE_A}comment on table public.a is 'A';\n")
    assert workshop.states() == {"1": "applied"}


def test_an_edited_file_is_accepted_by_recording_it_as_applied(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    path.write_text(f"{TABLE_A}-- an afterthought\n")
    workshop.type("repair", "1", "--status", "applied", "--yes")
    assert workshop.states() == {"1": "applied"}


def test_a_missing_file_is_named(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A, "loans")
    workshop.up()
    path.unlink()
    with pytest.raises(MigrationConflict, match=r"missing in the folder: 1_loans\.sql"):
        workshop.up()


def test_a_missing_file_is_forgotten_by_recording_it_as_reverted(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    (workshop.folder / "1_a.sql").unlink()
    workshop.type("repair", "1", "--status", "reverted", "--yes")
    assert workshop.states() == {}


def test_a_file_older_than_the_newest_applied_is_refused(workshop: Workshop) -> None:
    workshop.write(2, TABLE_A)
    workshop.up()
    workshop.write(1, "select 1;")
    with pytest.raises(MigrationConflict, match=r"Older than .*: 1_a\.sql"):
        workshop.up()


def test_a_file_out_of_order_is_applied_on_request_and_recorded_as_such(workshop: Workshop) -> None:
    workshop.write(2, TABLE_A)
    workshop.up()
    workshop.write(1, "select 1;")
    workshop.up(allow_out_of_order=True)
    late = "select version from nlctl.migrations where is_out_of_order"
    assert (workshop.ask(late), workshop.states()["1"]) == (["1"], "applied")


def test_a_database_belongs_to_the_project_that_came_first(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    with pytest.raises(ForeignDatabase, match="belongs to project workshop, not assistant"):
        workshop.up(project="assistant")


def test_a_foreign_project_cannot_even_repair(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    settings = (workshop.root / "nlctl.toml").read_text()
    (workshop.root / "nlctl.toml").write_text(settings.replace("workshop", "assistant"))
    answer = workshop.type("repair", "1", "--status", "reverted", "--yes")
    assert "belongs to project workshop" in answer.err


def test_status_tells_ci_that_all_is_up_to_date(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    assert workshop.type("status", "--exit-code").exit_code == 0


def test_status_tells_ci_that_something_is_pending(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    assert workshop.type("status", "--exit-code").exit_code == 3


def test_status_tells_ci_that_an_applied_file_is_changed(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    path.write_text("select 2;")
    assert workshop.type("status", "--exit-code").exit_code == 4


def test_status_tells_ci_that_an_applied_file_is_missing(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.up()
    path.unlink()
    assert workshop.type("status", "--exit-code").exit_code == 4


def test_status_tells_ci_first_of_what_failed_half_way(workshop: Workshop) -> None:
    path = workshop.write(1, TABLE_A)
    workshop.write(2, "-- nlctl: no-transaction\nselect 1 / 0;")
    workshop.type("up")
    path.unlink()
    assert workshop.type("status", "--exit-code").exit_code == 5


def test_status_without_exit_code_succeeds_whatever_it_shows(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    assert workshop.type("status").exit_code == 0


def test_status_shows_a_line_for_each_version(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A, "loans")
    workshop.up()
    workshop.write(2, "select 1;", "books")
    lines = workshop.type("status").out.splitlines()[2:]
    assert [line.split()[:5] for line in lines] == [
        ["1", "loans", "yes", "yes", "applied"],
        ["2", "books", "yes", "no", "pending"],
    ]


# Repair


def test_repair_runs_nothing(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.type("repair", "1", "--status", "applied", "--yes")
    assert workshop.ask(HISTORY) == ["1"]
    assert workshop.ask("select to_regclass('public.a')") == [None]


def test_repair_of_an_unknown_version_is_refused(workshop: Workshop) -> None:
    assert workshop.type("repair", "7", "--status", "applied", "--yes").exit_code == 2


def test_repair_cannot_record_a_file_that_is_not_there(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    (workshop.folder / "1_a.sql").unlink()
    assert "no file of version 1" in workshop.type("repair", "1", "--status", "applied", "-y").err


def test_repair_of_a_shared_target_asks_first(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.type("repair", "1", "--status", "reverted")
    assert workshop.ask(HISTORY) == ["1"]


def test_repair_corrects_all_versions_or_none(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    workshop.up()
    workshop.type("repair", "1", "7", "--status", "reverted", "--yes")
    assert workshop.ask(HISTORY) == ["1"]


# Whoever may not


def test_a_login_without_rights_is_told_whom_to_be(workshop: Workshop) -> None:
    workshop.write(1, TABLE_A)
    with pytest.raises(HistoryUnavailable, match="permission denied"):
        runner.up(workshop.database.authenticator_url, workshop.folder, "workshop")


# What one file sets


@pytest.mark.parametrize(
    "setting",
    ["client_encoding = 'latin1'", "standard_conforming_strings = off"],
)
def test_how_one_file_has_texts_read_does_not_reach_the_next(
    workshop: Workshop, setting: str
) -> None:
    workshop.write(1, f"set {setting};")
    workshop.write(2, r"create table public.seen as select 'é\n' as text;")
    workshop.up()
    assert workshop.ask("select text from public.seen") == [r"é\n"]


# Poolers


def test_a_lock_that_went_to_somebody_else_stops_the_next_file(workshop: Workshop) -> None:
    """As with a pooler in transaction mode, where another server process may answer."""
    workshop.write(1, "select pg_advisory_unlock_all();")
    workshop.write(2, TABLE_A)
    with workshop.database.connect() as somebody:

        def take(_: Applied) -> None:
            somebody.execute("select pg_advisory_lock(%s)", (lock.KEY,))

        with pytest.raises(InvalidInput, match="pooler in transaction mode"):
            runner.up(workshop.database.url, workshop.folder, "workshop", report=take)
    assert workshop.states() == {"1": "applied", "2": "pending"}


def test_the_lock_is_ours_only_on_the_process_that_took_it(workshop: Workshop) -> None:
    with (
        workshop.database.connect() as holder,
        workshop.database.connect() as other,
        lock.held(holder, 1, print),
    ):
        assert (lock.is_ours(holder), lock.is_ours(other)) == (True, False)
