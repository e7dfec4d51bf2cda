"""What migrations/README.md promises of every chapter: the lints, and what is the custom here.

A chapter that breaks a promise fails here by name; nobody has to think of a test for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from nlctl import lints

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
    "the API gets no right that it does not use": """
        select pg_class.oid::regclass || ' ' || held.privilege_type
        from pg_class, aclexplode(relacl) as held
        where relnamespace in (table ours) and held.grantee::regrole::text <> 'postgres'
          and held.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')""",
    "a server is granted what it may read": """
        select oid::regclass::text from tables
        where not has_table_privilege('service_role', oid, 'select') and relname <> 'audit_logs'""",
    "only exposed schemas hold what people read": """
        select oid::regclass::text from pg_class
        where relnamespace in (table ours) and relnamespace not in (table exposed)
          and relkind in ('r', 'p', 'v', 'm')
          and has_any_column_privilege('authenticated', oid, 'select')""",
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
    "every constraint was named": """
        select conrelid::regclass || ' ' || conname from pg_constraint
        where conrelid in (select oid from tables) and contype = 'c'
          and conname ~ '_check[0-9]*$'""",
    "people are called tu": r"""
        select oid::regprocedure::text from pg_proc
        where pronamespace in (table ours) and prosrc ~* '\m(vous|votre|vos|veuillez)\M'""",
}


def test_no_lint_finds_anything(school: Database, project: Project) -> None:
    report = lints.examine(project, school.url)
    assert [f"{each.object}: {each.detail} {each.remedy}" for each in report.findings] == []


@pytest.mark.parametrize("promise", PROMISES)
def test_the_catalogue_keeps_the_promise_that(school: Database, promise: str) -> None:
    assert school.run(f"with {OURS} {PROMISES[promise]}") == []


OFFENCES = """
create table public.careless (
  id int check (id > 0), person_id uuid, updated_at timestamptz, deleted_at timestamptz
);
create policy everything on public.careless using (person_id is null);
grant trigger on public.careless to authenticated;
create view app.peek as select * from public.profiles;
grant select on app.peek to authenticated;
create function app.greet() returns text language sql as $$ select 'Veuillez patienter.' $$;
"""


@pytest.mark.parametrize("promise", PROMISES)
def test_an_offence_is_found_against_the_promise_that(school: Database, promise: str) -> None:
    with school.connect(autocommit=False) as connection:
        connection.execute(OFFENCES)
        found = connection.execute(f"with {OURS} {PROMISES[promise]}".encode()).fetchall()
        connection.rollback()
    assert found != []


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
        r"\b(create(?! extension)|add|drop) .*\bif (not )?exists\b|\bor replace\b",
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
