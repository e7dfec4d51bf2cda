"""The register of refusals in migrations/README.md says what the functions do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.databases import Database

REFUSAL = re.compile(r"app\.refuse\(\s*'(\w+)'")
CALL = re.compile(r"\b((?:app|public)\.\w+)\(")
STATUS = re.compile(r"when '(\w+)' then (\d+)")
BODIES = """
select case when nspname = 'public' then '' else nspname || '.' end || proname, prosrc,
  nspname = 'public' or prorettype = 'trigger'::regtype
from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
where nspname in ('public', 'app', 'shared', 'bo')
"""


@pytest.fixture
def page(project: Project) -> str:
    return (project.root / "migrations" / "README.md").read_text(encoding="utf-8")


def rows(page: str, header: str) -> list[list[str]]:
    """The cells of the table under `header`."""
    table = page.split(f"{header}\n", 1)[1].split("\n\n", 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]
    ]


def refusals(database: Database) -> dict[str, set[str]]:
    """For each RPC and trigger function, the codes it or anything it calls refuses with."""
    found = database.run(BODIES)
    bodies = {name: body for name, body, _ in found}

    def codes(name: str, seen: set[str]) -> set[str]:
        if name in seen or name == "app.refuse":
            return set()
        seen.add(name)
        own = set(REFUSAL.findall(bodies[name]))
        called = {call.removeprefix("public.") for call in CALL.findall(bodies[name])}
        return own.union(*(codes(call, seen) for call in called & bodies.keys()))

    listed = {name: codes(name, set()) for name, _, is_listed in found if is_listed}
    return {name: refused for name, refused in listed.items() if refused}


def test_the_register_lists_every_code_with_its_status(database: Database, page: str) -> None:
    [(body,)] = database.run("select prosrc from pg_proc where oid = 'app.refuse'::regproc")
    listed = [
        (code.strip("`"), status) for code, status, _ in rows(page, "| code | status | meaning |")
    ]
    assert listed == STATUS.findall(body)


def test_the_register_lists_who_refuses_with_what(database: Database, page: str) -> None:
    functions = rows(page, "| function | refuses with |")
    triggers = rows(page, "| trigger function | table | refuses with |")
    listed = {row[0].strip("`"): set(re.findall(r"\w+", row[-1])) for row in functions + triggers}
    assert listed == refusals(database)


def test_the_register_names_the_table_of_each_trigger(database: Database, page: str) -> None:
    attached = database.run(
        "select distinct tgfoid::regproc::text, tgrelid::regclass::text from pg_trigger"
    )
    listed = rows(page, "| trigger function | table | refuses with |")
    assert {(name.strip("`"), table.strip("`")) for name, table, _ in listed} <= set(attached)


def test_each_code_is_used(database: Database, page: str) -> None:
    used = set[str]().union(*refusals(database).values())
    listed = {code.strip("`") for code, _, _ in rows(page, "| code | status | meaning |")}
    assert listed == used
