"""Each promise finds what breaks it, lets pass what was mended, and says where to look."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from nlctl import lints
from tests import databases
from tests.nlctl.offences import OFFENCES, Offence

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.databases import Database

EXPOSED = ("public", "shared", "pgmq_public")
SETTING = """
create table public.teams (id uuid primary key, owner_id uuid, name text);
create index on public.teams (owner_id);
create table public.members (team_id uuid, user_id uuid, primary key (team_id, user_id));
alter table public.teams enable row level security;
create function app.my_teams() returns setof uuid language sql stable security definer
  set search_path = '' as 'select team_id from public.members where user_id = auth.uid()';
revoke execute on function app.my_teams from public;
"""
MENDABLE = """
create view public.v with (security_invoker = true) as select 1 as one;
grant select on public.v to anon;

create view public.v as select 1 as one; grant select on public.v to authenticated;

create table public.t (a int, b int); grant select (b) on public.t to anon;

create sequence public.s; grant usage on sequence public.s to public;

create procedure public.p(int) language sql as 'select 1';
grant execute on procedure public.p to anon, public;

create aggregate public.a(int) (sfunc = int4pl, stype = int);
grant execute on function public.a to public;

create table public."T ""% s" (id int primary key, "o id" uuid references public.teams);
grant select on public."T ""% s" to public;
"""


@pytest.fixture(scope="module")
def shared_database(product_template: Database) -> Iterator[Database]:
    """The product, for tests that take back what they do."""
    made = databases.clone(product_template)
    yield made
    databases.drop(made)


@contextmanager
def nothing_kept(database: Database) -> Iterator[psycopg.Connection]:
    with (
        database.connect("supabase_admin") as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute(SETTING)
        yield connection


def found(connection: psycopg.Connection, name: str) -> set[str]:
    [lint] = [lint for lint in lints.read() if lint.name == name]
    return {finding.object for finding in lints.run(connection, EXPOSED, [lint])}


@pytest.mark.parametrize("offence", OFFENCES, ids=[offence.lint for offence in OFFENCES])
def test_an_offence_is_found_until_it_is_mended(
    shared_database: Database, offence: Offence
) -> None:
    with nothing_kept(shared_database) as connection:
        assert offence.object not in found(connection, offence.lint)
        connection.execute(offence.broken.encode())
        assert offence.object in found(connection, offence.lint)
        connection.execute(offence.mended.encode())
        assert offence.object not in found(connection, offence.lint)


@pytest.mark.parametrize("offence", MENDABLE.strip().split("\n\n"))
def test_a_remedy_that_is_a_statement_mends(shared_database: Database, offence: str) -> None:
    with nothing_kept(shared_database) as connection:
        before = {*lints.run(connection, EXPOSED)}
        connection.execute(offence.encode())
        findings = {*lints.run(connection, EXPOSED)} - before
        mended = {each for each in findings if re.search("^[^…]+;$", each.remedy)}
        for finding in mended:
            connection.execute(finding.remedy.encode())
        left = {*lints.run(connection, EXPOSED)}

    assert mended
    assert not mended & left


def test_every_lint_has_an_offence_that_it_finds() -> None:
    assert {offence.lint for offence in OFFENCES} == {lint.name for lint in lints.read()}


@pytest.mark.parametrize("lint", lints.read(), ids=lambda lint: lint.name)
def test_a_lint_says_first_what_it_promises(lint: lints.Lint) -> None:
    assert lint.promise[:1].isupper()
    assert lint.promise.endswith(".")


def test_an_open_transaction_goes_on_after_the_lints(shared_database: Database) -> None:
    with nothing_kept(shared_database) as connection:
        before = connection.execute("show search_path").fetchone()
        lints.run(connection, EXPOSED)
        assert connection.execute("show search_path").fetchone() == before
        connection.execute("create table public.written_after (id int)")
