"""What bench.formations asks, of one database: in SQL, through the Data API, and by hand.

A question is a file of formations_questions/, named after the function or table it is about, with
the sample (one row a run: the caller, the function's arguments, what the writer by hand knows) and
the statements that somebody would write by hand for the same answer, and to leave the same rows.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from bench import cores
from bench.formations_traces import Trace, Tracer, difference, masked
from bench.wire import Wire
from nlctl.database import Caller, settings_of
from nlctl.local import keys
from nlctl.local.cluster import SUPERUSER
from nlctl.local.tokens import Keyring

if TYPE_CHECKING:
    import psycopg

    from tests.databases import Database

FOLDER = Path(__file__).with_name("formations_questions")
SECTIONS = re.compile(r"^-- (Sample|Asked|By hand):? ?(.*)$", re.MULTILINE)
Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One thing that people ask, and the same by hand."""

    name: str
    sample: str
    by_hand: tuple[str, ...]
    query: str = ""
    path: str = ""
    """What is read without a function, in SQL and in the Data API's address."""

    @property
    def function(self) -> str | None:
        """What is called; None where a table or view is read."""
        return None if self.query else self.name.partition(".")[0]

    def in_sql(self, row: Row, *, for_nothing: bool) -> str:
        """What the person sends; a function may be called for what it does alone."""
        if self.query:
            return self.query
        given = ", ".join(f"{name} => %({name})s" for name in _arguments(row))
        return f"select {'' if for_nothing else '* from '}public.{self.function}({given})"

    @property
    def by_hand_as_json(self) -> tuple[str, ...]:
        """By hand, with rows made into JSON where they are found, as the Data API does."""
        *before, last = self.by_hand
        return *before, f"select coalesce(json_agg(row)::text, '[]') from (\n{last}\n) as row"

    def in_http(self, row: Row) -> tuple[str, str, bytes]:
        """Method, path and body of the person's request."""
        if self.path:
            return "GET", f"/rest/v1/{self.path.format(**row)}", b""
        body = json.dumps(_arguments(row), default=str)
        return "POST", f"/rest/v1/rpc/{self.function}", body.encode()


NOTHING = Question("nothing", "", (), path="rpc/bench_nothing")
"""What every request costs."""


def read_questions(named: str = "") -> list[Question]:
    """Those whose name has `named` in it."""
    return [_read(path) for path in sorted(FOLDER.glob("*.sql")) if named in path.stem]


def _read(path: Path) -> Question:
    _, *parts = SECTIONS.split(path.read_text(encoding="utf-8"))
    told = {
        kind: (title, body.strip())
        for kind, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }
    address, query = told.get("Asked", ("", ""))
    by_hand = tuple(filter(None, map(str.strip, told["By hand"][1].split(";\n"))))
    return Question(path.stem, told["Sample"][1], by_hand, query, address)


def _arguments(row: Row) -> Row:
    return {name: value for name, value in row.items() if name.startswith("p_")}


@dataclass(frozen=True)
class _Function:
    """What the catalogue says of one."""

    returns_nothing: bool
    returns_rows: bool


class Place:
    """One database with its gateway, and whoever asks there. Whatever they write is undone."""

    def __init__(self, database: Database, gateway: str) -> None:
        self._open = ExitStack()
        self._people = self._connect(database, "authenticator")
        self._expert = self._connect(database, SUPERUSER)
        # Nothing here is worth a new plan each time.
        self._expert.execute("set plan_cache_mode = force_generic_plan")
        self._expert.commit()
        for connection in (self._people, self._expert):
            cores.stay_on(cores.ONE, connection.info.backend_pid)
        self._settings = settings_of(self._people, Caller("authenticated"))
        _undo(self._people)
        self._wire = Wire(gateway)
        self._open.callback(self._wire.close)
        self._keyring = Keyring(keys.JWT_SECRET)
        self._functions: dict[str | None, _Function] = {}

    def _connect(self, database: Database, user: str) -> psycopg.Connection:
        return self._open.enter_context(database.connect(user, autocommit=False))

    def close(self) -> None:
        """Hang up."""
        self._open.close()

    def rows(self, question: Question, runs: int) -> list[Row]:
        """One for each run, again from the beginning where the sample is short."""
        cursor = self._expert.execute(question.sample.encode())
        names = [column.name for column in cursor.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        _undo(self._expert)
        if not found:
            raise RuntimeError(f"{question.name} has an empty sample.")
        return [found[number % len(found)] for number in range(runs)]

    def in_sql(self, question: Question, row: Row) -> float:
        """Seconds, in a transaction that has become the caller already."""
        cores.stay_on(cores.ONE)
        asked, values = self._asked(question, row).encode(), _values(row)
        _begin(self._people, self._settings_of(row))
        begin = perf_counter()
        self._people.execute(asked, values, prepare=True)
        taken = perf_counter() - begin
        _undo(self._people)
        return taken

    def by_hand(self, question: Question, row: Row) -> float:
        """Seconds of the superuser's statements, sent at once."""
        return self._by_hand(question.by_hand, row)

    def by_hand_as_json(self, question: Question, row: Row) -> float:
        """The same for an answer of the Data API, which makes JSON of rows."""
        if self._returns_rows(question):
            return self._by_hand(question.by_hand_as_json, row)
        return self._by_hand(question.by_hand, row)

    def _by_hand(self, statements: tuple[str, ...], row: Row) -> float:
        cores.stay_on(cores.ONE)
        sent, values = [statement.encode() for statement in statements], _values(row)
        # Triggers ask who calls; and what goes before leaves its mark on the processor's caches.
        _begin(self._expert, self._settings_of(row) | {"role": "none"})
        begin = perf_counter()
        if len(sent) == 1:
            self._expert.execute(sent[0], values, prepare=True)
        else:
            with self._expert.pipeline():
                for statement in sent:
                    self._expert.execute(statement, values, prepare=True)
        taken = perf_counter() - begin
        _undo(self._expert)
        return taken

    def in_http(self, question: Question, row: Row) -> float:
        """Seconds of the request, with whatever the Data API does around it."""
        cores.stay_on(cores.ALL)
        method, path, body = question.in_http(row)
        headers = {
            "apikey": keys.PUBLISHABLE_KEY,
            "Authorization": f"Bearer {self._keyring.sign(_claims(row))}",
            "Content-Type": "application/json",
            "Prefer": "tx=rollback",
        }
        answer = self._wire.ask(method, path, headers, body)
        if answer.status not in {200, 204}:
            raise RuntimeError(f"{question.name} was answered with {answer.body.decode()}")
        return answer.seconds

    def of_nothing(self, _question: Question, row: Row) -> float:
        """Seconds of a request by the same person that comes to nothing."""
        return self.in_http(NOTHING, row)

    def check(self, question: Question, row: Row) -> None:
        """Times would mean nothing if by hand something else came out, or was done."""
        asked, trace = self._trace((self._asked(question, row),), row, "authenticated")
        by_hand, trace_by_hand = self._trace(question.by_hand, row, "none")
        if self._returns_nothing(question):
            by_hand = asked
        if _plain(asked) != _plain(by_hand):
            raise RuntimeError(f"{question.name} differs by hand: {asked} {by_hand}")
        if told := difference(trace, trace_by_hand):
            raise RuntimeError(f"{question.name} does something else by hand:\n{told}")

    def _trace(
        self, statements: tuple[str, ...], row: Row, role: str
    ) -> tuple[list[tuple[Any, ...]], Trace]:
        tracer = Tracer(self._expert)
        _begin(self._expert, self._settings_of(row) | {"role": role})
        for statement in statements:
            cursor = self._expert.execute(statement.encode(), _values(row))
        answer = cursor.fetchall() if cursor.description else []
        _begin(self._expert, {"role": "none"})
        trace = tracer.stop()
        _undo(self._expert)
        return answer, trace

    def _settings_of(self, row: Row) -> dict[str, str]:
        return self._settings | {"request.jwt.claims": json.dumps(_claims(row))}

    def _asked(self, question: Question, row: Row) -> str:
        return question.in_sql(row, for_nothing=self._returns_nothing(question))

    def _returns_nothing(self, question: Question) -> bool:
        return not question.query and self._function(question).returns_nothing

    def _returns_rows(self, question: Question) -> bool:
        return bool(question.query) or self._function(question).returns_rows

    def _function(self, question: Question) -> _Function:
        name = question.function
        if name not in self._functions:
            found = self._expert.execute(
                "select prorettype = 'void'::regtype, proretset from pg_proc"
                " where pronamespace = 'public'::regnamespace and proname = %s",
                [name],
            ).fetchone()
            _undo(self._expert)
            if found is None:
                raise RuntimeError(f"There is no function {name}.")
            self._functions[name] = _Function(*found)
        return self._functions[name]


def _begin(connection: psycopg.Connection, settings: dict[str, str]) -> None:
    """Begin as the Data API does, which knows what each role has set."""
    connection.execute(
        "select set_config(name, value, true) from json_each_text(%s::json) as s (name, value)",
        [json.dumps(settings)],
        prepare=True,
    )


def _undo(connection: psycopg.Connection) -> None:
    """Roll back past psycopg, which would forget with it what it has prepared."""
    connection.pgconn.exec_(b"rollback")


def _plain(answer: list[tuple[Any, ...]]) -> str:
    return masked(json.dumps(answer, default=str))


def _claims(row: Row) -> dict[str, Any]:
    return {"sub": str(row["caller"]), "role": "authenticated", "aud": "authenticated"}


def _values(row: Row) -> Row:
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in row.items()}
