"""Drift: each change somebody makes by hand is named, once, and the SQL for it mends it."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl import catalogue
from nlctl.catalogue import differences, mending, reprint
from nlctl.local.cluster import SUPERUSER
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from nlctl.catalogue import Catalogue
    from nlctl.catalogue.differences import Difference
    from tests.databases import Database

MUSEUM = Path(__file__).with_name("museum.sql").read_text(encoding="utf-8")
MUTATIONS = Path(__file__).with_name("mutations.sql").read_text(encoding="utf-8").split("\n\n")[1:]
MENDED = [mutation for mutation in MUTATIONS if "\n--! " not in mutation]
HOPELESS = [mutation for mutation in MUTATIONS if "\n--! " in mutation]


def name_of(mutation: str) -> str:
    """Its first line, for the report."""
    return mutation.partition("\n")[0]


@pytest.fixture(scope="module")
def museum(platform_template: Database) -> Iterator[Database]:
    """A database with one of everything."""
    made = databases.clone(platform_template)
    with made.connect() as connection:
        connection.execute(MUSEUM.encode())
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def session(museum: Database) -> Iterator[psycopg.Connection]:
    """A connection whose transactions all come to nothing."""
    with closing(museum.connect(autocommit=False)) as connection:
        yield connection


@pytest.fixture(scope="module")
def expected(session: psycopg.Connection) -> Catalogue:
    """What the museum holds as long as nobody touches it."""
    return catalogue.read(session)


@contextmanager
def mutated(session: psycopg.Connection, mutation: str) -> Iterator[None]:
    """The museum after somebody was at it."""
    with session.transaction(force_rollback=True):
        session.execute(mutation.encode())
        yield


def compare(expected: Catalogue, session: psycopg.Connection) -> tuple[Difference, ...]:
    return differences.between(expected, catalogue.read(session))


def test_an_untouched_database_has_no_difference(
    expected: Catalogue, session: psycopg.Connection
) -> None:
    assert compare(expected, session) == ()


def test_whom_the_platform_lets_in_is_no_news(
    expected: Catalogue, session: psycopg.Connection
) -> None:
    with mutated(session, "grant select on shop.items to dashboard_user"):
        assert compare(expected, session) == ()


def test_an_event_trigger_of_ours_is_missed(museum: Database) -> None:
    with closing(museum.connect(SUPERUSER, autocommit=False)) as admin:
        admin.execute(
            "create function shop.watch() returns event_trigger language plpgsql as 'begin end'"
        )
        admin.execute(
            "create event trigger watch on ddl_command_end when tag in ('CREATE TABLE')"
            " execute function shop.watch()"
        )
        wanted = catalogue.read(admin)
        admin.execute("drop event trigger watch")
        [missed] = compare(wanted, admin)
        [statement] = mending.statements([missed], wanted)
        admin.execute(statement.encode())

        assert (str(missed), compare(wanted, admin)) == (
            "event trigger watch: expected, not found",
            (),
        )


def test_a_view_printed_by_an_older_server_is_the_same(
    expected: Catalogue, session: psycopg.Connection
) -> None:
    [view] = [view for view in expected.views if view.name == "cheap"]
    older = replace(view, definition=view.definition.replace("label", "items.label"))
    found = replace(expected, server_version=15, views=(older,))

    assert reprint.views(found, expected, session).views == (view,)


def test_an_older_server_knows_no_right_to_maintain(expected: Catalogue) -> None:
    tables = tuple(
        replace(table, grants=tuple(g for g in table.grants if g.privilege != "maintain"))
        for table in expected.tables
    )
    found = replace(expected, server_version=15, tables=tables)

    assert [d for d in differences.between(expected, found) if d.kind == "table"] == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=name_of)
def test_a_change_made_by_hand_is_named(
    mutation: str, expected: Catalogue, session: psycopg.Connection
) -> None:
    with mutated(session, mutation):
        lines = [str(difference) for difference in compare(expected, session)]

    assert lines == re.findall(r"^--[>!] (.*)$", mutation, re.MULTILINE)


@pytest.mark.parametrize("mutation", MENDED, ids=name_of)
def test_the_statements_offered_take_a_change_back(
    mutation: str, expected: Catalogue, session: psycopg.Connection
) -> None:
    with mutated(session, mutation):
        offered = mending.statements(compare(expected, session), expected)
        for statement in offered:
            session.execute(statement.removeprefix(mending.LOSES_ROWS).encode())
        left = compare(expected, session)

    assert (bool(offered), left) == (True, ())


@pytest.mark.parametrize("mutation", HOPELESS, ids=name_of)
def test_what_no_statement_takes_back_is_said_in_a_comment(
    mutation: str, expected: Catalogue, session: psycopg.Connection
) -> None:
    with mutated(session, mutation):
        offered = mending.statements(compare(expected, session), expected)

    assert [statement[:3] for statement in offered] == ["-- "]
