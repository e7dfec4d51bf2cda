"""Whatever a function is called with: a refusal that people read, and no row of somebody else.

Every function that the Data API shows is called over HTTP, whatever arguments it takes; one that
is added tomorrow is called as well.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import class_row

from nlctl.local.rest import RestConfig
from tests import callers
from tests.formations import Board, compose, make_palette, start, submit
from tests.local.rest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from hypothesis.strategies import SearchStrategy

    from tests.callers import Person
    from tests.databases import Database

# More of them, and others each time, find more: NLCTL_TEST_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("NLCTL_TEST_EXAMPLES", "0"))
thorough = settings(
    max_examples=EXAMPLES or 16,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

UNDONE = {"Prefer": "tx=rollback", "Content-Type": "application/json"}
FOREIGN = "pas-pour-toi"
"""Written in every row of Ben's, and in nothing that is asked."""

REFUSALS = {
    "NOT_AUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "INVALID": 422,
    "QUOTA_EXCEEDED": 429,
}
# What PostgREST and PostgreSQL say before a function begins: no such arguments, not of their type.
BEFORE_IT_BEGINS = re.compile(r"PGRST\d+|42501|22P0[2-5]|22003|22007|22008|22009|54000")

FUNCTIONS = """
select p.proname as name, p.prosrc as body, p.pronargdefaults as defaults,
  array(
    select format_type(type, null)
    from unnest(p.proargtypes) with ordinality as argument (type, place)
    order by place
  ) as types,
  coalesce(p.proargnames[:p.pronargs], '{}') as names
from pg_proc as p
where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
  and p.prorettype <> 'trigger'::regtype
  and has_function_privilege('authenticated', p.oid, 'execute')
order by p.proname
"""
TABLES = """
select c.relname, format('select %I::text from %s', a.attname, c.oid::regclass)
from pg_class as c
join pg_index as i on i.indrelid = c.oid and i.indisprimary and cardinality(i.indkey::int[]) = 1
join pg_attribute as a on a.attrelid = c.oid and a.attnum = i.indkey[0]
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.atttypid = 'uuid'::regtype
"""
# Ben's own: whoever is not staff must see none of these.
FOREIGN_IDS = """
select id::text from public.profiles where id = %(ben)s
union all select id::text from public.courses where author_id = %(ben)s
union all select m.id::text from public.course_modules as m
  join public.courses as c on c.id = m.course_id where c.author_id = %(ben)s
union all select id::text from public.formation_submissions where user_id = %(ben)s
union all select id::text from public.user_formation_snapshots where user_id = %(ben)s
union all select id::text from public.user_formations where user_id = %(ben)s
union all select id::text from public.formation_module_statuses where user_id = %(ben)s
union all select id::text from public.training_onboarding_responses where user_id = %(ben)s
"""


@dataclass(frozen=True)
class Function:
    """One that the Data API shows."""

    name: str
    body: str
    defaults: int
    types: list[str]
    names: list[str]

    def words(self) -> list[str]:
        """What it compares with, and what its arguments may be called inside."""
        return sorted(set(re.findall(r"'([a-z_]{2,40})'", self.body)))


@dataclass(frozen=True)
class Setting:
    """Rows of two people, and everybody's way to the Data API."""

    functions: list[Function]
    people: dict[str, Person]
    ids: dict[str, list[str]]
    foreign: frozenset[str]
    clients: dict[str, httpx.Client]

    def rows_for(self, argument: str) -> list[str]:
        """The ids that an argument of this name should be given: `p_course_id` a course's."""
        stem = argument.removeprefix("p_").removesuffix("s").removesuffix("_id")
        rows = [
            each
            for table, found in self.ids.items()
            if re.search(rf"(^|_){stem}(s|es)$", table)
            for each in found
        ]
        return rows or [each for found in self.ids.values() for each in found]

    def faults(self, function: Function, who: str, body: str) -> list[str]:
        """What is wrong with the answer to one call."""
        answer = self.clients[who].post(f"/rpc/{function.name}", content=body, headers=UNDONE)
        return [*self._misbehaviour(answer), *self._indiscretion(who, body, answer.text)]

    def _misbehaviour(self, answer: httpx.Response) -> Iterator[str]:
        if answer.is_success:
            return
        error = answer.json()
        code = str(error["code"])
        if answer.status_code >= 500:
            yield f"{answer.status_code}: {answer.text}"
        elif code in REFUSALS:
            if answer.status_code != REFUSALS[code] or not error["message"]:
                yield f"an odd refusal: {answer.status_code} {answer.text}"
        elif not BEFORE_IT_BEGINS.fullmatch(code):
            yield f"no refusal for people: {answer.text}"

    def _indiscretion(self, who: str, body: str, text: str) -> Iterator[str]:
        if who in {"admin", "owner"}:
            return
        if FOREIGN in text:
            yield f"a foreign row: {text[:500]}"
        named = {each for each in self.foreign if each in text and each not in body}
        if named:
            yield f"the id of a foreign row: {sorted(named)}"


def a_full_life(person: Person, admin: Person, palette: list[str], mark: str) -> Board:
    """Rows of one person in every table, all of whose words have the mark."""
    title = f"Parcours {mark}"
    compose(person, palette[:2], title)
    submit(person, compose(person, palette[:1], title))
    refused = submit(person, compose(person, palette[:1], title))
    admin.rpc("reject_user_parcours_submission", p_submission_id=refused, p_comment=f"Non, {mark}.")
    board = start(person, admin, palette, title)
    module = board.cards()[0]["module_uuid"]
    person.rpc("update_course_module", p_course_module_id=str(module), p_title=f"Module {mark}")
    person.rpc("save_training_onboarding_draft", p_answers={"craintes": mark})
    person.run("update public.profiles set first_name = %s where true", [mark])
    return board


def everybody(database: Database) -> tuple[dict[str, Person], Person]:
    """Who calls, and Ben whose rows are nobody's business but the staff's."""
    people = {
        "client": callers.sign_up(database, "client"),
        "suspended": callers.sign_up(database, "client", status="suspended"),
        "prof": callers.sign_up(database, "prof"),
        "admin": callers.sign_up(database, "admin"),
        "owner": callers.sign_up(database, "owner"),
    }
    ben, admin, palette = (
        callers.sign_up(database, "client"),
        people["admin"],
        make_palette(database),
    )
    a_full_life(ben, admin, palette, FOREIGN)
    board = a_full_life(people["client"], admin, palette, "à-moi")
    admin.rpc(
        "assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=people["prof"].id
    )
    return people, ben


@contextmanager
def api_of(database: Database, people: dict[str, Person]) -> Iterator[dict[str, httpx.Client]]:
    """Everybody's way to a Data API where whatever is done is undone."""
    config = RestConfig(database.authenticator_url, transaction_end="commit-allow-override")
    with ExitStack() as stack, serving.embed(config) as api:
        clients = {
            name: stack.enter_context(api.client("authenticated", sub=person.id))
            for name, person in people.items()
        }
        clients["visitor"] = stack.enter_context(api.client())
        yield clients


@pytest.fixture(scope="module")
def setting(school: Database) -> Iterator[Setting]:
    """Two people with everything, and who calls."""
    people, ben = everybody(school)
    with school.connect() as connection, connection.cursor(row_factory=class_row(Function)) as rows:
        functions = rows.execute(FUNCTIONS).fetchall()
    ids = {table: [row[0] for row in school.run(query)] for table, query in school.run(TABLES)}
    foreign = frozenset(row[0] for row in school.run(FOREIGN_IDS, {"ben": ben.id}))
    with api_of(school, people) as clients:
        yield Setting(functions, people, ids, foreign, clients)


# What an argument may be.

TEXTS = [
    "", " ", "x", "é", "\U0001f600", "x" * 5000, "'", "''; drop table courses; --", "%", "_", "\\",
    "a\nb", "\u0000", "null", "0", "owner", "admin", "prof", "client", "active", "suspended",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2, 50, 100, 101, 6000, 2**31 - 1, -(2**31), 2**31, 2**63, 1.5, 1e300, "7", ""]
MOMENTS = [
    "2026-11-20T10:00:00Z", "2026-11-20", "infinity", "-infinity", "epoch", "now", "tomorrow",
    "0001-01-01", "294276-12-31", "4713-01-01 BC", "2026-02-30", "x", 0,
]  # fmt: skip
UUIDS = ["00000000-0000-0000-0000-000000000000", "ffffffff", 3]
ODD = [None, [], {}, "x", 0, True, [None], {"": None}, "\u0000"]


def documents(words: list[str]) -> SearchStrategy[Any]:
    keys = st.sampled_from([*words, "answer", "comment", "x", ""]) if words else st.just("x")
    leaves = st.sampled_from([None, True, False, 0, -1, 1.5, 10**30, "", *TEXTS[:8], *words])
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=6,
    )


def values(kind: str, words: list[str], ids: list[str]) -> SearchStrategy[Any]:
    """What may be sent for an argument of this type; of an unknown one, anything."""
    if kind.endswith("[]"):
        item = values(kind.removesuffix("[]"), words, ids)
        return st.lists(item, max_size=4) | st.sampled_from(ODD)
    known: dict[str, SearchStrategy[Any]] = {
        "uuid": st.sampled_from(ids),
        "text": st.sampled_from([*TEXTS, *words]) | st.text(max_size=8),
        "integer": st.sampled_from(NUMBERS),
        "bigint": st.sampled_from(NUMBERS),
        "boolean": st.sampled_from([True, False, "true", "peut-être", 1]),
        "jsonb": documents(words),
        "json": documents(words),
        "date": st.sampled_from(MOMENTS),
        "timestamp with time zone": st.sampled_from(MOMENTS),
    }
    likely = known.get(kind, documents(words))
    return st.one_of(likely, likely, likely, st.sampled_from([*UUIDS, *ODD]))


def bodies(setting: Setting, function: Function) -> SearchStrategy[str]:
    """What may be posted: most often every argument that has to be there."""
    words, needed = function.words(), len(function.names) - function.defaults
    named = {
        name: values(kind, words, setting.rows_for(name))
        for name, kind in zip(function.names, function.types, strict=True)
    }
    required = {name: named[name] for name in function.names[:needed]}
    optional = {name: named[name] for name in function.names[needed:]}
    arguments = st.fixed_dictionaries(required, optional=optional)
    return arguments.map(json.dumps)


def check(setting: Setting, function: Function) -> None:
    """Call one function in many ways; the first fault is told in its smallest form."""

    @thorough
    @given(
        who=st.sampled_from(["client", "client", "prof", "admin", "owner", "suspended", "visitor"]),
        body=bodies(setting, function),
    )
    def call(who: str, body: str) -> None:
        faults = setting.faults(function, who, body)
        assert not faults, f"{who} calls {function.name} with {body}: {faults}"

    call()


def test_no_arguments_bring_a_failure_or_a_foreign_row(setting: Setting) -> None:
    assert len(setting.functions) > 40
    for function in setting.functions:
        check(setting, function)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("select title from public.courses where id = p_course_id", "a foreign row"),
        ("select author_id::text from public.courses", "the id of a foreign row"),
        ("select (1 / 0)::text", "no refusal for people"),
        ("select array_fill(0, array[1000000000])::text", "no refusal for people|500"),
    ],
)
def test_a_function_at_fault_is_found(
    school: Database, setting: Setting, body: str, fault: str
) -> None:
    with school.connect() as connection:
        connection.execute(
            "create function public.careless(p_course_id uuid) returns setof text "
            f"language sql security definer as $${body}$$; "
            "grant execute on function public.careless to authenticated".encode()
        )
    careless = Function("careless", body, 0, ["uuid"], ["p_course_id"])
    try:
        with api_of(school, setting.people) as clients:
            now = replace(setting, clients=clients)
            with pytest.raises(AssertionError, match=fault):
                check(now, careless)
    finally:
        school.run("drop function public.careless(uuid)")
