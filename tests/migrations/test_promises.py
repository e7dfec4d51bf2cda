"""What migrations/README.md promises of every table, policy and function, asked of the catalogue.

A chapter that breaks a promise fails here by name; nobody has to think of a test for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.project import Project
    from tests.databases import Database

OURS = """
  ours as (
    select oid from pg_namespace
    where pg_get_userbyid(nspowner) in ('postgres', 'pg_database_owner')
      and nspname not in ('extensions', 'supabase_migrations', 'nlctl')
  ),
  exposed as (select oid from pg_namespace where nspname in ('public', 'shared', 'bo')),
  tables as (
    select c.* from pg_class c where c.relnamespace in (table exposed) and c.relkind in ('r', 'p')
  )
"""

PROMISES = {
    "row level security is on": """
        select oid::regclass::text from tables where not relrowsecurity""",
    "there is a policy, or a comment that says why none": """
        select oid::regclass::text from tables
        where not exists (select from pg_policy where polrelid = tables.oid)
          and coalesce(obj_description(oid, 'pg_class'), '') !~ 'No policy'""",
    "every table and view has a comment": """
        select oid::regclass::text from pg_class
        where relnamespace in (table ours) and relkind in ('r', 'p', 'v', 'm')
          and obj_description(oid, 'pg_class') is null""",
    "every function has a comment": """
        select oid::regprocedure::text from pg_proc
        where pronamespace in (table ours) and obj_description(oid, 'pg_proc') is null""",
    "every function pins its search_path to nothing": """
        select oid::regprocedure::text from pg_proc
        where pronamespace in (table ours)
          and not coalesce(proconfig @> array['search_path=""'], false)""",
    "PUBLIC executes nothing": """
        select oid::regprocedure::text
        from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) as held
        where pronamespace in (table ours) and held.grantee = 0""",
    "PUBLIC holds nothing on a table": """
        select pg_class.oid::regclass::text
        from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) as held
        where relnamespace in (table ours) and held.grantee = 0""",
    "the API gets no right that it does not use": """
        select pg_class.oid::regclass || ' ' || held.privilege_type
        from pg_class, aclexplode(relacl) as held
        where relnamespace in (table ours) and held.grantee::regrole::text <> 'postgres'
          and held.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')""",
    "visitors hold nothing on a table": """
        select oid::regclass::text from tables
        where has_any_column_privilege('anon', oid, 'select, insert, update, references')
          or has_table_privilege('anon', oid, 'delete, truncate, trigger')""",
    "a server is granted what it may read": """
        select oid::regclass::text from tables
        where not has_table_privilege('service_role', oid, 'select') and relname <> 'audit_logs'""",
    "only exposed schemas hold what people read": """
        select oid::regclass::text from pg_class
        where relnamespace in (table ours) and relnamespace not in (table exposed)
          and relkind in ('r', 'p', 'v', 'm')
          and has_any_column_privilege('authenticated', oid, 'select')""",
    "a view of an exposed schema runs as its reader": """
        select oid::regclass::text from pg_class
        where relnamespace in (table exposed) and relkind = 'v'
          and not coalesce(reloptions @> array['security_invoker=true'], false)""",
    "a foreign key is found by an index": """
        select conname::text from pg_constraint
        where contype = 'f' and conrelid in (select oid from tables)
          and not exists (
            select from pg_index
            where indrelid = conrelid and indpred is null
              and (indkey::int2[])[0:cardinality(conkey) - 1] operator(pg_catalog.@>) conkey
          )""",
    "a row that changes dates its change": """
        select tables.oid::regclass::text from tables
        join pg_attribute on attrelid = tables.oid and attname = 'updated_at'
        where not exists (
          select from pg_trigger
          where tgrelid = tables.oid and tgfoid = 'app.set_updated_at'::regproc
        )""",
    "what is soft-deleted is kept by a trigger": """
        select tables.oid::regclass::text from tables
        join pg_attribute on attrelid = tables.oid and attname = 'deleted_at'
        where not exists (
          select from pg_trigger where tgrelid = tables.oid and tgfoid = 'app.soft_delete'::regproc
        )""",
    "what is soft-deleted is out of every policy's sight": """
        select polname::text from pg_policy
        join pg_attribute on attrelid = polrelid and attname = 'deleted_at'
        where polrelid in (select oid from tables)
          and coalesce(pg_get_expr(polqual, polrelid), 'deleted_at') !~ 'deleted_at IS NULL'
          and polcmd <> 'a'""",
    "what a policy reads is indexed": """
        select polname || ' ' || attname from pg_policy
        join pg_depend on classid = 'pg_policy'::regclass and objid = pg_policy.oid
        join pg_attribute on attrelid = polrelid and attnum = refobjsubid
        where polrelid in (select oid from tables)
          and refclassid = 'pg_class'::regclass and refobjid = polrelid
          and not exists (
            select from pg_index
            where indrelid = polrelid
              and (indkey[0] = attnum or pg_get_expr(indpred, indrelid) ~ attname)
          )""",
    "a policy is for one command and for named roles": """
        select polname::text from pg_policy
        where polrelid in (select oid from tables) and (polcmd = '*' or polroles = '{0}')""",
    "a policy is named table_command_whose": """
        select polname::text from pg_policy
        join pg_class on pg_class.oid = polrelid
        where polrelid in (select oid from tables)
          and not starts_with(polname, format('%s_%s_', relname, case polcmd
            when 'r' then 'select' when 'a' then 'insert'
            when 'w' then 'update' when 'd' then 'delete' end))""",
    "an RPC of the privileged kind asks who calls": """
        select oid::regprocedure::text from pg_proc
        where pronamespace in (table exposed) and prosecdef
          and (has_function_privilege('authenticated', oid, 'execute')
            or has_function_privilege('anon', oid, 'execute'))
          and prosrc !~ 'app\\.(require_[a-z_]+|take_person)\\('
          and proname not in ('get_active_theme_tokens', 'is_admin_or_owner')""",
    "a visitor executes only what is named here": """
        select oid::regprocedure::text from pg_proc
        where pronamespace in (table exposed) and has_function_privilege('anon', oid, 'execute')
          and proname not in ('get_active_theme_tokens')""",
    "every constraint was named": """
        select conrelid::regclass || ' ' || conname from pg_constraint
        where conrelid in (select oid from tables) and contype = 'c'
          and conname ~ '_check[0-9]*$'""",
}


@pytest.mark.parametrize("promise", PROMISES)
def test_the_catalogue_keeps_the_promise_that(database: Database, promise: str) -> None:
    assert database.run(f"with {OURS} {PROMISES[promise]}") == []


OFFENCES = """
create table public.careless (
  id int check (id > 0), person_id uuid references public.profiles (id),
  updated_at timestamptz, deleted_at timestamptz
);
create policy everything on public.careless using (person_id is null);
create table public.closed (id int);
create view public.peek as select * from public.profiles;
create view app.peek as select * from public.profiles;
create function public.leak() returns int language sql security definer as 'select 1';
grant execute on function public.leak to public, anon, authenticated;
grant select on public.careless to public;
grant trigger on public.careless to authenticated;
grant select on public.careless to anon;
grant select on app.peek to authenticated;
"""


@pytest.mark.parametrize("promise", PROMISES)
def test_an_offence_is_found_against_the_promise_that(database: Database, promise: str) -> None:
    with database.connect() as connection:
        connection.execute(OFFENCES)
    assert database.run(f"with {OURS} {PROMISES[promise]}") != []


def outside_subqueries(expression: str) -> str:
    """What of a policy is computed for each row: the text without its scalar subqueries."""
    kept, depth, start = [], 0, -1
    for position, character in enumerate(expression):
        if character == "(":
            if start < 0 and expression.startswith("( SELECT", position):
                start = depth
            depth += 1
        if start < 0:
            kept.append(character)
        if character == ")":
            depth -= 1
            if depth == start:
                start = -1
    return "".join(kept)


def test_a_policy_asks_once_what_does_not_depend_on_the_row(database: Database) -> None:
    policies = database.run(
        "select policyname::text, coalesce(qual, '') || ' ' || coalesce(with_check, '') "
        "from pg_policies where schemaname in ('public', 'shared', 'bo', 'realtime', 'storage')"
    )
    asking_each_time = [
        name
        for name, expression in policies
        if re.search(r"\b(auth|app|realtime|public)\.\w+\(", outside_subqueries(expression))
        or re.search(r"\bis_admin_or_owner\(", outside_subqueries(expression))
    ]
    assert len(policies) > 15
    assert asking_each_time == []


def test_an_unwrapped_question_would_be_found() -> None:
    wrapped = "(a = ( SELECT app.f(( SELECT auth.uid() AS uid)) AS f))"
    assert outside_subqueries(wrapped) == "(a = )"
    assert "auth.uid()" in outside_subqueries("((a = ( SELECT app.f() AS f)) AND (b = auth.uid()))")


UNBOUNDED = re.compile(
    r"^\s*(?:update|delete from)\b(?!.*\bwhere\b)[^;]*", re.MULTILINE | re.DOTALL
)


def test_no_function_changes_a_whole_table(database: Database) -> None:
    """The platform loads safeupdate, which refuses UPDATE and DELETE without WHERE in RPCs too."""
    bodies = database.run(
        "select oid::regprocedure::text, prosrc from pg_proc "
        "where pronamespace in ('public'::regnamespace, 'app'::regnamespace)"
    )
    statements = [(name, part) for name, body in bodies for part in body.split(";")]
    assert [(name, part) for name, part in statements if UNBOUNDED.search(part)] == []


def test_a_change_without_where_would_be_found() -> None:
    assert UNBOUNDED.search("begin\n  delete from public.a")
    assert UNBOUNDED.search("then\n  update public.a set b = 1\n  returning b into c")
    assert not UNBOUNDED.search("begin\n  update public.a set b = 1\n  where c = 2")


def chapters(project: Project) -> list[Path]:
    return sorted(project.migrations(project.default_name).glob("*.sql"))


def offending(project: Project, wrong: str) -> list[Any]:
    return [
        (chapter.name, number, line)
        for chapter in chapters(project)
        for number, line in enumerate(chapter.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(wrong, line)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        r"^.{100,}",
        r"\t| $",
        r"\b(create|add|drop) .*\bif (not )?exists\b|\bor replace\b",
        r"\bsecurity definer\b(?! -- .)",
        r"\bvarchar\b|\bserial\b",
    ],
)
def test_no_line_of_a_chapter_has(project: Project, wrong: str) -> None:
    assert offending(project, wrong) == []


def test_a_chapter_says_first_what_it_is_about(project: Project) -> None:
    for chapter in chapters(project):
        assert re.match(r"-- [A-Z][a-z ]+: ", chapter.read_text(encoding="utf-8")), chapter.name


def test_keywords_are_lower_case(project: Project) -> None:
    for chapter in chapters(project):
        text = re.sub(r"--.*|'(?:[^']|'')*'", "", chapter.read_text(encoding="utf-8"))
        assert re.findall(r"\b(?:SELECT|CREATE|FROM|WHERE|UPDATE|INSERT|DELETE)\b", text) == []
