"""A query runs in one transaction, as whoever was asked for, and its answer can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl import queries
from nlctl.errors import InvalidInput, QueryFailed
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases import Database
    from tests.terminals import Terminal

NOTES = """
create table public.notes (id int primary key, text text);
alter table public.notes enable row level security;
create policy notes_select_own on public.notes for select to authenticated
  using ((select auth.jwt()) ->> 'email' = text);
grant select on public.notes to authenticated;
grant select, insert on public.notes to service_role;
insert into public.notes values (1, 'été'), (2, 'ada@example.test'), (3, null);

create function public.forbid() returns void language plpgsql as $$
begin
  raise sqlstate 'PGRST' using
    message = '{"code": "FORBIDDEN", "message": "Tu n''as pas accès à cette page.",
                "details": null, "hint": "Demande à un admin."}',
    detail = '{"status": 403, "headers": {}}';
end $$;
grant execute on function public.forbid to anon;
"""


@pytest.fixture
def notes(empty_database: Database) -> Database:
    """A database with three notes, of which Ada may read one."""
    with empty_database.connect() as connection:
        connection.execute(NOTES)
    return empty_database


@pytest.fixture
def terminal(notes: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal whose targets all lead to the notes."""
    monkeypatch.setenv("NLCTL_STAGING_DATABASE_URL", notes.url)
    monkeypatch.setenv("NLCTL_PRODUCTION_DATABASE_URL", notes.url)
    return terminals.open_in(tmp_path, notes.url)


def count(database: Database) -> int:
    """How many notes there are."""
    rows = database.run("select count(*) from public.notes")
    return int(rows[0][0])


def add_ada(database: Database) -> str:
    """An account for Ada; her id."""
    rows = database.run(
        "insert into auth.users (id, aud, role, email) values"
        " (gen_random_uuid(), 'authenticated', 'authenticated', 'ada@example.test')"
        " returning id::text",
        user="supabase_auth_admin",
    )
    return str(rows[0][0])


def test_rows_are_shown_as_a_table(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "select id, text from notes order by id")

    assert answer.out.splitlines() == [
        "id  text",
        "--  ----------------",
        "1   été",
        "2   ada@example.test",
        "3   NULL",
        "(3 rows)",
    ]


def test_one_document_is_printed_readably(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", """select '{"colors": {"été": "1 2% 3%"}}'::jsonb""")

    assert answer.out == '{\n  "colors": {\n    "été": "1 2% 3%"\n  }\n}\n'


def test_machines_get_one_document(terminal: Terminal) -> None:
    statement = "select 1.50 as n, null as n, array[true, null] as list, 'infinity'::date as day"

    answer = terminal.type("db", "query", statement, "--json")

    assert answer.document == {
        "results": [
            {
                "status": "SELECT 1",
                "columns": ["n", "n_2", "list", "day"],
                "rows": [{"n": 1.5, "n_2": None, "list": [True, None], "day": "infinity"}],
            }
        ],
        "committed": False,
    }


def test_digits_are_never_lost_on_the_way_to_a_machine(notes: Database) -> None:
    script = queries.parse("select 12345678901234567890.123456789 as n, 'NaN'::float8 as f")

    result = queries.run(notes.url, script).results[0]

    assert result.as_dict()["rows"] == [{"n": "12345678901234567890.123456789", "f": "nan"}]


def test_spreadsheets_get_csv(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "select id, text from notes order by id", "--csv")

    assert answer.out == "id,text\n1,été\n2,ada@example.test\n3,\n"


def test_a_query_comes_from_standard_input(terminal: Terminal) -> None:
    assert terminal.type("db", "query", "-", stdin="select 'é' as e").out.startswith("e\n-\né\n")


def test_several_statements_share_one_transaction(terminal: Terminal, notes: Database) -> None:
    statements = "insert into notes values (4, 'four'); insert into notes values (4, 'again')"

    answer = terminal.type("db", "query", statements)

    assert answer.exit_code == 1
    assert answer.err == (
        'error: duplicate key value violates unique constraint "notes_pkey".'
        " Key (id)=(4) already exists (SQLSTATE 23505).\n"
    )
    assert count(notes) == 3


def test_a_write_is_committed_and_counted(terminal: Terminal, notes: Database) -> None:
    answer = terminal.type("db", "query", "insert into notes values (4, 'four'), (5, 'five')")

    assert (answer.out, answer.err) == ("INSERT 0 2\n", "Committed: 2 rows written.\n")
    assert count(notes) == 5


def test_a_dry_run_changes_nothing(terminal: Terminal, notes: Database) -> None:
    answer = terminal.type("db", "query", "delete from notes", "--dry-run")

    assert answer.err == "Rolled back (dry run): 3 rows written.\n"
    assert count(notes) == 3


def test_a_dry_run_hears_deferred_constraints(notes: Database) -> None:
    script = queries.parse(
        "alter table notes add unique (text) deferrable initially deferred;"
        "insert into notes values (4, 'été')"
    )

    with pytest.raises(QueryFailed, match="duplicate key"):
        queries.run(notes.url, script, dry_run=True)


def test_a_read_only_query_cannot_write(terminal: Terminal, notes: Database) -> None:
    answer = terminal.type("db", "query", "delete from notes", "--read-only")

    assert (answer.exit_code, count(notes)) == (1, 3)
    assert "cannot execute DELETE in a read-only transaction" in answer.err


@pytest.mark.parametrize("target", ["staging", "production"])
def test_a_shared_target_is_read_only(terminal: Terminal, notes: Database, target: str) -> None:
    answer = terminal.type("db", "query", "delete from notes", "--target", target)

    assert (answer.exit_code, count(notes)) == (1, 3)
    assert "--write lets it write" in answer.err


def test_writing_on_staging_is_said_aloud(terminal: Terminal, notes: Database) -> None:
    answer = terminal.type("db", "query", "delete from notes", "--target", "staging", "--write")

    assert (answer.exit_code, count(notes)) == (0, 0)


def test_writing_on_production_is_confirmed(terminal: Terminal, notes: Database) -> None:
    command = ("db", "query", "delete from notes", "--target", "production", "--write")

    refused = terminal.type(*command)
    assert (refused.exit_code, count(notes)) == (2, 3)
    assert refused.err == (
        "error: Running SQL that may write on production needs confirming. Add --yes.\n"
    )

    assert terminal.type(*command, "--yes").exit_code == 0
    assert count(notes) == 0


def test_wishes_that_contradict_each_other_are_refused(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "select 1", "--read-only", "--write")

    assert answer.exit_code == 2


@pytest.mark.parametrize(
    ("who", "role", "timeout"),
    [("anon", "anon", "3s"), ("authenticated", "authenticated", "8s"),
     ("service_role", "service_role", "8s")],
)  # fmt: skip
def test_a_role_gets_the_claims_and_limits_of_the_data_api(
    notes: Database, who: str, role: str, timeout: str
) -> None:
    script = queries.parse(
        "select current_user, auth.jwt() ->> 'role', current_setting('statement_timeout'),"
        " current_setting('lock_timeout'), current_setting('search_path')"
    )

    outcome = queries.run(notes.url, script, who=who)

    assert outcome.results[0].cells == ((role, role, timeout, "8s", "public, extensions"),)


def test_a_limit_follows_the_role(notes: Database) -> None:
    notes.run(f"alter role anon in database {notes.name} set statement_timeout = '1ms'")

    with pytest.raises(QueryFailed) as failure:
        queries.run(notes.url, queries.parse("select pg_sleep(5)"), who="anon")
    assert failure.value.code == "57014"


@pytest.mark.parametrize("by", ["address", "id"])
def test_a_person_sees_what_she_may_see(notes: Database, by: str) -> None:
    ada = add_ada(notes)
    who = "Ada@Example.test" if by == "address" else ada

    outcome = queries.run(notes.url, queries.parse("select auth.uid(), * from notes"), who=who)

    assert outcome.results[0].cells == ((ada, "2", "ada@example.test"),)


def test_a_visitor_reads_the_active_theme(database: Database) -> None:
    script = queries.parse("select get_active_theme_tokens()")

    outcome = queries.run(database.url, script, who="anon")

    assert outcome.results[0].document["colors"]


def test_nobody_is_said_to_be_nobody(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "select 1", "--as", "zoe@example.test")

    assert answer.exit_code == 2
    assert answer.err == (
        "error: Nobody is called 'zoe@example.test'."
        " Give anon, authenticated, service_role, an e-mail address or a user id.\n"
    )


def test_a_missing_right_keeps_the_servers_words(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "table notes", "--as", "anon")

    assert answer.err == "error: permission denied for table notes (SQLSTATE 42501).\n"


def test_a_refusal_reads_as_the_frontend_gets_it(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "select forbid()", "--as", "anon")

    assert (answer.exit_code, answer.err) == (
        1,
        "error: FORBIDDEN (403): Tu n'as pas accès à cette page. Demande à un admin.\n",
    )


def test_machines_get_the_code_of_an_error(terminal: Terminal) -> None:
    answer = terminal.type("db", "query", "select nothing", "--json")

    assert '"code": "42703"' in answer.err


def test_an_error_shows_the_line_where_there_are_many(notes: Database) -> None:
    with pytest.raises(QueryFailed, match=r"^line 2: column \"nothing\" does not exist"):
        queries.run(notes.url, queries.parse("select 1;\nselect nothing"))


def test_a_script_names_file_line_and_column(terminal: Terminal) -> None:
    (terminal.folder / "report.sql").write_text("-- First.\nselect 1;\n\nselect\n  nothing;\n")

    answer = terminal.type("db", "file", "report.sql")

    assert answer.exit_code == 1
    assert answer.err.startswith('error: report.sql:5:3: column "nothing" does not exist')


def test_a_script_happens_whole(terminal: Terminal, notes: Database) -> None:
    (terminal.folder / "add.sql").write_text(
        "insert into notes values (4, 'quatre à midi');\nselect text from notes where id = 4;\n",
        encoding="utf-8",
    )

    answer = terminal.type("db", "file", "add.sql")

    assert "quatre à midi" in answer.out
    assert count(notes) == 4


def test_a_script_that_is_not_there_is_named(terminal: Terminal) -> None:
    answer = terminal.type("db", "file", "nowhere.sql")

    assert (answer.exit_code, answer.err) == (
        2,
        "error: nowhere.sql cannot be read: No such file or directory.\n",
    )


@pytest.mark.parametrize("nothing", ["", " ; ", "-- a thought"])
def test_an_empty_query_is_refused(nothing: str) -> None:
    with pytest.raises(InvalidInput, match="holds no statement"):
        queries.parse(nothing)


@pytest.mark.parametrize("statement", ["commit", "begin", "rollback", "copy notes from stdin"])
def test_what_needs_psql_is_refused_before_anything_happens(statement: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        queries.parse(f"select 1; {statement}")
    assert refusal.value.hint == "Leave it out, or use `nlctl db psql`."


def test_a_statement_without_answer_shows_what_it_did(terminal: Terminal) -> None:
    assert terminal.type("db", "query", "create table t (i int)").out == "CREATE TABLE\n"
