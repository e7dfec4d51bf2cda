"""The palette: who keeps it, what a client sees of it, what it does to the courses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from tests.callers import Refused, anonymous
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, make_palette

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

STAFF = ["owner", "admin"]
OTHERS = ["prof", "client"]
TABLES = ["builder_families", "builder_subfamilies", "builder_modules"]
ADD = {
    "family": "insert into public.builder_families (name) values ('Bois') returning id::text",
    "subfamily": (
        "insert into public.builder_subfamilies (family_id, name) values (%s, 'Assemblages') "
        "returning id::text"
    ),
    "module": (
        "insert into public.builder_modules (subfamily_id, title) values (%s, 'Tenon') "
        "returning id::text"
    ),
}
MODULE_TITLES = "select title from public.builder_modules where subfamily_id = %s order by position"


def add(staff: Person, kind: str, *parent: str) -> str:
    return str(staff.run(ADD[kind], parent)[0]["id"])


def branch(staff: Person) -> tuple[str, str, str]:
    """A family, a theme of it and a module of that."""
    family = add(staff, "family")
    subfamily = add(staff, "subfamily", family)
    return family, subfamily, add(staff, "module", subfamily)


def subfamily_of(database: Database, module: str) -> str:
    [(found,)] = database.run(
        "select subfamily_id::text from public.builder_modules where id = %s", [module]
    )
    return str(found)


def titles(database: Database, subfamily: str) -> list[str]:
    return [row[0] for row in database.run(MODULE_TITLES, [subfamily])]


# Reading.


def test_a_client_reads_the_palette_in_order(database: Database, person: MakePerson) -> None:
    admin = person("admin")
    for name, position in (("Zinc", 0), ("Argile", 1), ("Vide", 2)):
        admin.run(
            "insert into public.builder_families (name, position) values (%s, %s)", [name, position]
        )
    database.run(
        "insert into public.builder_subfamilies (family_id, name) "
        "select id, name || ' pur' from public.builder_families where name <> 'Vide'"
    )
    database.run(
        "insert into public.builder_modules (subfamily_id, title, position, is_active) "
        "select id, title, place, title <> 'Caché' from public.builder_subfamilies, "
        "(values ('Deux', 1), ('Un', 0), ('Caché', 2)) as module (title, place)"
    )
    told = person().rpc("get_builder_palette")
    assert [
        (family["name"], theme["name"], [module["title"] for module in theme["modules"]])
        for family in told
        for theme in family["subfamilies"]
    ] == [("Zinc", "Zinc pur", ["Un", "Deux"]), ("Argile", "Argile pur", ["Un", "Deux"])]


def test_an_empty_palette_is_an_empty_list(person: MakePerson) -> None:
    assert person().rpc("get_builder_palette") == []


@pytest.mark.parametrize("level", ["builder_families", "builder_subfamilies", "builder_modules"])
@pytest.mark.parametrize("change", ["is_active = false", "deleted_at = now()"])
def test_what_is_off_or_gone_takes_along_what_is_in_it(
    school: Database, member: MakePerson, level: str, change: str
) -> None:
    ids = branch(member("admin"))
    ada = member()
    assert ids[2] in str(ada.rpc("get_builder_palette"))
    with school.connect() as operator:  # past the rule that what holds something is not deleted
        operator.execute("set session_replication_role = replica")
        operator.execute(
            f"update public.{level} set {change} where id = any (%s)".encode(), [list(ids)]
        )
    assert ids[2] not in str(ada.rpc("get_builder_palette"))
    assert ada.run("select id from public.builder_modules where id = %s", [ids[2]]) == []
    with pytest.raises(Refused) as refusal:
        compose(ada, [ids[2]])
    assert refusal.value.code == "NOT_FOUND"


def test_staff_see_what_is_off(member: MakePerson) -> None:
    admin = member("admin")
    family, subfamily, module = branch(admin)
    for table in TABLES:
        admin.run(
            f"update public.{table} set is_active = false where id = any (%s)",
            [[family, subfamily, module]],
        )
    for table, one in zip(TABLES, (family, subfamily, module), strict=True):
        assert admin.run(f"select id from public.{table} where id = %s", [one]) != []
        assert member("client").run(f"select id from public.{table} where id = %s", [one]) == []


@pytest.mark.parametrize("function", ["get_builder_palette", "reorder_palette"])
def test_a_visitor_may_not_ask(school: Database, function: str) -> None:
    arguments = {"p_kind": "family", "p_ids": []} if function == "reorder_palette" else {}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(function, **arguments)


def test_the_suspended_are_told_so(member: MakePerson) -> None:
    with pytest.raises(Refused) as refusal:
        member(status="suspended").rpc("get_builder_palette")
    assert refusal.value.code == "FORBIDDEN"


# Writing.


@pytest.mark.parametrize("kind", STAFF)
def test_staff_build_it_and_take_it_down(school: Database, member: MakePerson, kind: str) -> None:
    staff = member(kind)
    ids = branch(staff)
    for table, one in zip(reversed(TABLES), reversed(ids), strict=True):
        staff.run(f"delete from public.{table} where id = %s", [one])
        assert school.run(
            f"select deleted_at is not null from public.{table} where id = %s", [one]
        ) == [(True,)]


@pytest.mark.parametrize("kind", OTHERS)
def test_nobody_else_writes_it(school: Database, member: MakePerson, kind: str) -> None:
    family, subfamily, module = branch(member("admin"))
    other = member(kind)
    for what, parent in (("family", ()), ("subfamily", (family,)), ("module", (subfamily,))):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            add(other, what, *parent)
    other.run("update public.builder_modules set title = 'Mien' where id = %s", [module])
    other.run("delete from public.builder_modules where id = %s", [module])
    assert titles(school, subfamily) == ["Tenon"]


@pytest.mark.parametrize("column", ["id", "deleted_at", "created_at", "updated_at"])
def test_staff_do_not_write_what_the_database_keeps(member: MakePerson, column: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        member("owner").run(f"update public.builder_families set {column} = default")


@pytest.mark.parametrize(
    ("table", "column", "wrong"),
    [
        ("builder_families", "name", "'  '"),
        ("builder_families", "name", "repeat('a', 121)"),
        ("builder_families", "description", "repeat('a', 2001)"),
        ("builder_subfamilies", "name", "''"),
        ("builder_subfamilies", "description", "repeat('a', 2001)"),
        ("builder_modules", "title", "''"),
        ("builder_modules", "title", "repeat('a', 201)"),
        ("builder_modules", "description", "repeat('a', 5001)"),
        ("builder_modules", "duration_minutes", "0"),
        ("builder_modules", "duration_minutes", "6001"),
    ],
)
def test_odd_words_are_refused(member: MakePerson, table: str, column: str, wrong: str) -> None:
    admin = member("admin")
    branch(admin)
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.run(f"update public.{table} set {column} = {wrong}")


# What holds what.


@pytest.mark.parametrize("level", [0, 1])
def test_what_holds_something_is_not_deleted(
    school: Database, member: MakePerson, level: int
) -> None:
    admin = member("admin")
    ids = branch(admin)
    with pytest.raises(Refused) as refusal:
        admin.run(f"delete from public.{TABLES[level]} where id = %s", [ids[level]])
    assert refusal.value.code == "CONFLICT"
    assert school.run(
        f"select deleted_at from public.{TABLES[level]} where id = %s", [ids[level]]
    ) == [(None,)]


@pytest.mark.parametrize("kind", ["subfamily", "module"])
@pytest.mark.parametrize("is_moved", [False, True], ids=["added", "moved"])
def test_nothing_is_put_into_what_is_deleted(member: MakePerson, kind: str, is_moved: bool) -> None:
    admin = member("admin")
    table, column, one = {
        "subfamily": ("builder_subfamilies", "family_id", 1),
        "module": ("builder_modules", "subfamily_id", 2),
    }[kind]
    above = TABLES[TABLES.index(table) - 1]
    family = add(admin, "family")
    parent = family if kind == "subfamily" else add(admin, "subfamily", family)
    put = (
        (f"update public.{table} set {column} = %s where id = %s", [parent, branch(admin)[one]])
        if is_moved
        else (ADD[kind], [parent])
    )
    admin.run(f"delete from public.{above} where id = %s", [parent])
    with pytest.raises(Refused) as refusal:
        admin.run(*put)
    assert refusal.value.code == "NOT_FOUND"


def test_a_theme_is_not_deleted_while_a_module_is_put_into_it(
    school: Database, member: MakePerson
) -> None:
    ada, ben = member("admin"), member("admin")
    subfamily = add(ada, "subfamily", add(ada, "family"))
    with transaction_of(ada) as adding:
        adding.execute(ADD["module"].encode(), [subfamily])
        with in_background(
            lambda: ben.run("delete from public.builder_subfamilies where id = %s", [subfamily])
        ) as deleting:
            wait_until_somebody_waits(school)
            adding.commit()
            with pytest.raises(Refused) as refusal:
                deleting.result()
    assert refusal.value.code == "CONFLICT"


def test_a_module_is_not_put_into_a_theme_while_that_is_deleted(
    school: Database, member: MakePerson
) -> None:
    ada, ben = member("admin"), member("admin")
    subfamily = add(ada, "subfamily", add(ada, "family"))
    with transaction_of(ada) as deleting:
        deleting.execute("delete from public.builder_subfamilies where id = %s", [subfamily])
        with in_background(lambda: add(ben, "module", subfamily)) as adding:
            wait_until_somebody_waits(school)
            deleting.commit()
            with pytest.raises(Refused) as refusal:
                adding.result()
    assert refusal.value.code == "NOT_FOUND"
    assert titles(school, subfamily) == []


# The order.


@pytest.mark.parametrize("kind", STAFF)
def test_staff_put_modules_in_order(school: Database, member: MakePerson, kind: str) -> None:
    modules = make_palette(school, 4)
    wanted = [modules[index] for index in (2, 0, 3, 1)]
    member(kind).rpc("reorder_palette", p_kind="module", p_ids=wanted)
    assert titles(school, subfamily_of(school, modules[0])) == [
        "Module 3",
        "Module 1",
        "Module 4",
        "Module 2",
    ]


def test_themes_and_families_are_put_in_order(database: Database, person: MakePerson) -> None:
    admin = person("admin")
    family = add(admin, "family")
    families = [add(admin, "family"), family]
    themes = [add(admin, "subfamily", family) for _ in range(3)]
    admin.rpc("reorder_palette", p_kind="family", p_ids=families)
    admin.rpc("reorder_palette", p_kind="subfamily", p_ids=themes[::-1])
    for table, wanted in (("builder_families", families), ("builder_subfamilies", themes[::-1])):
        assert wanted == [
            row[0] for row in database.run(f"select id::text from public.{table} order by position")
        ]


@pytest.mark.parametrize("kind", OTHERS)
def test_nobody_else_puts_it_in_order(school: Database, member: MakePerson, kind: str) -> None:
    with pytest.raises(Refused) as refusal:
        member(kind).rpc("reorder_palette", p_kind="module", p_ids=make_palette(school, 2))
    assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("kind", "ids", "code", "details"),
    [
        ("course", ["0"], "INVALID", "kind"),
        (None, ["0"], "INVALID", "kind"),
        ("module", None, "INVALID", "ids"),
        ("module", [], "INVALID", "ids"),
        ("module", ["0", "1", "1"], "INVALID", "ids"),
        ("module", ["0", None], "INVALID", "ids"),
        ("module", ["?"], "NOT_FOUND", None),
        ("subfamily", ["0", "1"], "NOT_FOUND", None),
        ("module", ["0"], "CONFLICT", None),
        ("module", ["0", "1", "?"], "CONFLICT", None),
    ],
)
def test_an_odd_order_is_refused(
    school: Database,
    member: MakePerson,
    kind: str | None,
    ids: list[str | None] | None,
    code: str,
    details: str | None,
) -> None:
    modules = make_palette(school, 2)
    named = {"0": modules[0], "1": modules[1], "?": str(uuid4()), None: None}
    with pytest.raises(Refused) as refusal:
        member("admin").rpc(
            "reorder_palette", p_kind=kind, p_ids=ids and [named[each] for each in ids]
        )
    assert (refusal.value.code, refusal.value.details) == (code, details)
    assert titles(school, subfamily_of(school, modules[0])) == ["Module 1", "Module 2"]


def test_two_orders_at_once_never_mix(school: Database, member: MakePerson) -> None:
    ada, ben = member("admin"), member("admin")
    modules = make_palette(school, 4)
    with transaction_of(ada) as first:
        first.execute("select public.reorder_palette('module', %s)", [modules[::-1]])
        with in_background(
            lambda: ben.rpc("reorder_palette", p_kind="module", p_ids=modules)
        ) as second:
            wait_until_somebody_waits(school)
            first.commit()
            second.result()
    assert titles(school, subfamily_of(school, modules[0])) == [f"Module {n}" for n in range(1, 5)]


def test_an_order_that_names_what_is_deleted_meanwhile_is_a_conflict(
    school: Database, member: MakePerson
) -> None:
    ada, ben = member("admin"), member("admin")
    modules = make_palette(school, 3)
    with transaction_of(ada) as deleting:
        deleting.execute("delete from public.builder_modules where id = %s", [modules[1]])
        with in_background(
            lambda: ben.refusal("reorder_palette", p_kind="module", p_ids=modules[::-1])
        ) as ordering:
            wait_until_somebody_waits(school)
            deleting.commit()
            assert ordering.result().code == "CONFLICT"
    assert titles(school, subfamily_of(school, modules[0])) == ["Module 1", "Module 2", "Module 3"]
