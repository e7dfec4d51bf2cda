"""The files of access/ again, as frontends meet it: every cell is a request to the Data API."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nlctl import access
from nlctl.access import people, statements, subjects
from nlctl.access.belonging import Belongings
from nlctl.access.rows import Shelf, freshened
from nlctl.local.rest import RestConfig
from tests import products
from tests.local.rest import serving

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import httpx
    import psycopg

    from nlctl.access import Line
    from nlctl.access.belonging import RowClass
    from nlctl.access.people import Person
    from nlctl.access.rows import Rows
    from nlctl.access.subjects import Function, Subject
    from nlctl.project import Project
    from tests.databases import Database

DECLARED = Path(__file__).with_name("access")
UNDONE = {"Prefer": "tx=rollback, return=minimal, count=exact"}
TOUCHED = re.compile(r"/([1-9]\d*)$")


@dataclass(frozen=True)
class Given:
    """A person, and rows of one class as it looks to him."""

    person: Person
    subject: Subject
    row_class: RowClass
    rows: Rows

    @property
    def title(self) -> str:
        """Its line in the file."""
        return f"{self.subject.name} {self.row_class}"


@dataclass(frozen=True)
class Asked:
    """A person, and a function with the keys of rows that its arguments name."""

    person: Person
    function: Function
    row_class: RowClass | None
    keys: dict[str, Any]

    @property
    def title(self) -> str:
        """Its line in the files."""
        return f"rpc {self.function.title} {self.row_class or ''}".rstrip()


@dataclass(frozen=True)
class Setting:
    """What is asked about, in the database for good."""

    people: tuple[Person, ...]
    givens: list[Given]
    calls: list[Asked]


@pytest.fixture(scope="module")
def declared() -> dict[str, Line]:
    """All files, by title."""
    return {line.title: line for line in access.read(DECLARED)}


@pytest.fixture
def setting(database: Database, project: Project) -> Setting:
    """Everybody, and rows of every class for each of them."""
    products.make_buckets(database, project)
    database.run((DECLARED / "scene.sql").read_text(encoding="utf-8"))
    with database.connect(autocommit=False) as connection:
        connection.execute("select set_config('search_path', '', true)")
        return settle(connection, project.exposed_schemas)


@pytest.fixture
def clients(database: Database, setting: Setting) -> Iterator[dict[str, httpx.Client]]:
    """Each person's way to the Data API, where a transaction may be undone on request."""
    config = RestConfig(database.authenticator_url, transaction_end="commit-allow-override")
    with ExitStack() as open_clients, serving.embed(config) as api:
        yield {
            person.name: open_clients.enter_context(client_of(person, api))
            for person in setting.people
        }


def settle(connection: psycopg.Connection, schemas: Collection[str]) -> Setting:
    everybody = people.gather(connection)
    every = subjects.find(connection, schemas)
    belongings = Belongings(every)
    shelf = Shelf(connection, belongings, everybody)
    # First, while what is there is the scene.
    calls = [
        Asked(person, function, row_class, shelf.keys_for(function, row_class, person))
        for function in subjects.find_functions(connection, schemas, every)
        for row_class in (belongings.classes(function.about) if function.about else (None,))
        for person in everybody.acting
        if row_class is None or person.may_have(row_class)
    ]
    givens = [
        Given(person, subject, row_class, shelf.take(subject, row_class, person))
        for subject in every
        if subject.is_table and not subject.template
        for row_class in belongings.classes(subject)
        for person in everybody.acting
        if person.may_have(row_class)
    ]
    return Setting(everybody.acting, givens, calls)


def client_of(person: Person, api: serving.Served) -> httpx.Client:
    if person.name == "anon":
        return api.client()
    claims = {name: said for name, said in person.caller.claims.items() if name != "role"}
    return api.client(person.caller.role, **claims)


def ask(client: httpx.Client, given: Given) -> str:
    """One mark each for a GET, a POST, a PATCH and a DELETE."""
    subject, role, row = given.subject, given.person.caller.role, given.rows.example
    assert row is not None, given.title
    path, that_row = f"/{subject.table}", {name: f"eq.{row[name]}" for name in subject.key}
    seen = client.get(path, params={"select": ",".join(subject.key), **that_row})
    new = freshened(subject, row)
    offered = {name: new[name] for name in statements.offered(subject, new, role)}
    column = statements.writable(subject, role).name
    answers = {
        "S": seen,
        "I": client.post(path, json=offered, headers=UNDONE),
        "U": client.patch(path, params=that_row, json={column: row[column]}, headers=UNDONE),
        "D": client.delete(path, params=that_row, headers=UNDONE),
    }
    return "".join(mark(letter, answer) for letter, answer in answers.items())


def mark(letter: str, answer: httpx.Response) -> str:
    if answer.is_success:
        is_done = {"S": answer.text != "[]", "I": True}
        touched = TOUCHED.search(answer.headers.get("content-range", ""))
        return letter if is_done.get(letter, touched is not None) else "."
    error = answer.json()
    if error["code"].startswith("23"):
        return letter
    assert error["code"] == "42501", answer.text
    return "x" if "row-level security" in error["message"] else "-"


def as_frontends_see(declared: str, got: str, subject: Subject) -> str:
    """The same of one row, by its key: seen or not, and a soft delete reports no row."""
    seen = got[0] if declared[0] == "s" else declared[0]
    unreported = "uDd" if subject.keeps_deleted else "ud"
    return seen + "".join("." if each in unreported else each for each in declared[1:])


def call(client: httpx.Client, asked: Asked) -> str:
    arguments = {**dict.fromkeys(name for name, _ in asked.function.required), **asked.keys}
    answer = client.post(f"/rpc/{asked.function.name}", json=arguments, headers=UNDONE)
    if answer.is_success:
        return "ok"
    code = str(answer.json()["code"])
    return "-" if code == "42501" else code


def test_a_frontend_gets_what_the_file_says_of_tables(
    declared: dict[str, Line], setting: Setting, clients: dict[str, httpx.Client]
) -> None:
    wrong = [
        f"{given.title}: {given.person.name} has {got}, declared is {wanted}"
        for given in setting.givens
        for wanted in [declared[given.title].marks[given.person.name]]
        for got in [ask(clients[given.person.name], given)]
        if got != as_frontends_see(wanted, got, given.subject)
    ]
    assert len(setting.givens) > 100
    assert wrong == []


def test_a_frontend_gets_what_the_file_says_of_functions(
    declared: dict[str, Line], setting: Setting, clients: dict[str, httpx.Client]
) -> None:
    wrong = [
        f"{asked.title}: {asked.person.name} has {got}, declared is {wanted}"
        for asked in setting.calls
        for wanted in [declared[asked.title].marks[asked.person.name]]
        for got in [call(clients[asked.person.name], asked)]
        if got != wanted
    ]
    assert len(setting.calls) > 500
    assert wrong == []
