"""Design tokens: what they may be, which are active, who hears of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.callers import Refused
from tests.concurrency import in_background, transaction_of, wait_until_somebody_waits
from tests.listening import hears

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

STAFF = ["owner", "admin"]
ROUNDS = 50
CALLERS = 4


def tokens(**groups: Any) -> dict[str, Any]:
    return {"colors": {"primary": "188 82% 23%"}, **groups}


def add_theme(database: Database, name: str = "Nuit") -> str:
    [(theme,)] = database.run(
        "insert into public.themes (name, tokens) values (%s, %s) returning id::text",
        [name, Jsonb(tokens())],
    )
    return str(theme)


def active(database: Database) -> list[str]:
    rows = database.run("select id::text from public.themes where is_default")
    return [row[0] for row in rows]


# Reading.


@pytest.mark.parametrize("who", ["visitor", "client", "suspended"])
def test_everybody_reads_the_active_tokens(
    database: Database, visitor: Person, person: MakePerson, who: str
) -> None:
    reader = {"client": person, "suspended": lambda: person(status="suspended")}.get(
        who, lambda: visitor
    )()
    [(expected,)] = database.run("select tokens from public.themes where is_default")
    assert reader.rpc("get_active_theme_tokens") == expected


def test_there_may_be_no_theme_yet(database: Database, visitor: Person) -> None:
    database.run("update public.themes set is_default = false")
    assert visitor.rpc("get_active_theme_tokens") is None


def test_a_visitor_does_not_read_the_table(visitor: Person) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.run("select * from public.themes")


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_who_is_not_staff_sees_no_theme(person: MakePerson, kind: str) -> None:
    assert person(kind).run("select id from public.themes") == []


# Writing.


@pytest.mark.parametrize("kind", STAFF)
def test_staff_write_and_delete_themes(person: MakePerson, kind: str) -> None:
    admin = person(kind)
    admin.run(
        "insert into public.themes (name, tokens) values ('Nuit', %s) returning id",
        [Jsonb(tokens())],
    )
    [changed] = admin.run(
        "update public.themes set name = 'Nuit noire', tokens = %s where name = 'Nuit' returning *",
        [Jsonb(tokens(radius={"md": "0.5rem"}))],
    )
    assert changed["version"] == 2
    admin.run("delete from public.themes where name = 'Nuit noire'")
    assert admin.run("select id from public.themes where name = 'Nuit noire'") == []


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_who_is_not_staff_writes_no_theme(
    database: Database, person: MakePerson, kind: str
) -> None:
    somebody = person(kind)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        somebody.run(
            "insert into public.themes (name, tokens) values ('Eve', %s)", [Jsonb(tokens())]
        )
    before = database.run("select * from public.themes order by id")
    somebody.run("update public.themes set name = 'Eve' where true")
    somebody.run("delete from public.themes where true")
    assert database.run("select * from public.themes order by id") == before


def test_staff_activate_a_theme_through_the_function_only(person: MakePerson) -> None:
    for change in ("is_default = true", "is_default = false", "version = 9", "deleted_at = now()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person("owner").run(f"update public.themes set {change} where true")


def test_a_name_is_free_again_once_its_theme_is_deleted(
    database: Database, person: MakePerson
) -> None:
    add_theme(database, "Nuit")
    with pytest.raises(psycopg.errors.UniqueViolation):
        add_theme(database, "Nuit")
    person("admin").run("delete from public.themes where name = 'Nuit'")
    add_theme(database, "Nuit")


@pytest.mark.parametrize("who", ["owner", "server"])
def test_the_active_theme_is_not_deleted(
    database: Database, person: MakePerson, server: Person, who: str
) -> None:
    deleter = server if who == "server" else person(who)
    before = active(database)
    with pytest.raises(Refused) as refusal:
        deleter.run("delete from public.themes where is_default")
    assert refusal.value.code == "CONFLICT"
    assert active(database) == before


def test_the_active_theme_cannot_be_marked_deleted_either(database: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        database.run("update public.themes set deleted_at = now() where is_default")


def test_no_second_theme_can_be_active(database: Database) -> None:
    add_theme(database)
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.run("update public.themes set is_default = true")


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"colors": {"a": "0 0% 0%", "b-2": "360 100% 100%", "c": "359.9 0.5% 99.999%"}},
        {"colors": {"a": "360.0 100.0% 7%"}},
        {"radius": {"md": "0.5rem", "2xl": 1, "none": 0, "round": True}},
        {"fonts": {"sans": "\"Inter\", 'Segoe UI', sans-serif"}},
        {"shadows": {"card": "0 1px 2px hsl(0 0% 0% / 0.1), inset 0 0 0 1px #fff"}},
    ],
)
def test_good_tokens_are_kept(database: Database, groups: dict[str, Any]) -> None:
    database.run("update public.themes set tokens = %s", [Jsonb(tokens(**groups))])


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ([], "tokens"),
        ("dark", "tokens"),
        (None, "tokens"),
        ({}, "tokens.colors"),
        ({"colors": {}}, "tokens.colors"),
        ({"colors": ["0 0% 0%"]}, "tokens.colors"),
        (tokens(radius="1px"), "tokens.radius"),
        (tokens(Radius={"md": 1}), "tokens.Radius"),
        (tokens(radius={"Md": 1}), "tokens.radius.Md"),
        (tokens(radius={"m_d": 1}), "tokens.radius.m_d"),
        (tokens(radius={"md": None}), "tokens.radius.md"),
        (tokens(radius={"md": {"x": 1}}), "tokens.radius.md"),
        (tokens(radius={"md": ""}), "tokens.radius.md"),
        (tokens(radius={"md": "1px; } body { display: none"}), "tokens.radius.md"),
        (tokens(radius={"md": "</style>"}), "tokens.radius.md"),
        (tokens(radius={"md": "a\nb"}), "tokens.radius.md"),
        (tokens(radius={"md": "a\\b"}), "tokens.radius.md"),
        (tokens(radius={"md": "a/*b"}), "tokens.radius.md"),
        (tokens(radius={"md": "URL (//evil.test)"}), "tokens.radius.md"),
        (tokens(radius={"md": "x" * 301}), "tokens.radius.md"),
        (tokens(a={str(n): "x" * 290 for n in range(300)}), "tokens"),
        *(
            ({"colors": {"primary": color}}, "tokens.colors.primary")
            for color in (
                "361 0% 0%",
                "360.5 0% 0%",
                "-1 0% 0%",
                "0 101% 0%",
                "0 0% 100.1%",
                "0 0 0",
                "0  0% 0%",
                " 0 0% 0%",
                "0 0% 0%\n",
                "0, 0%, 0%",
                "hsl(0 0% 0%)",
                "#fff",
                "red",
                "٣ 0% 0%",
                "",
                0,
                None,
            )
        ),
    ],
)
def test_bad_tokens_are_refused_where_they_go_wrong(
    database: Database, person: MakePerson, wrong: Any, fault: str
) -> None:
    before = database.run("select tokens from public.themes where is_default")
    with pytest.raises(Refused) as refusal:
        person("admin").run("update public.themes set tokens = %s where is_default", [Jsonb(wrong)])
    assert (refusal.value.code, refusal.value.details) == ("INVALID", fault)
    assert database.run("select tokens from public.themes where is_default") == before


def test_the_constraint_holds_without_the_kind_trigger(database: Database) -> None:
    database.run("alter table public.themes disable trigger themes_check_tokens")
    with pytest.raises(psycopg.errors.CheckViolation, match="themes_tokens_valid"):
        database.run("""update public.themes set tokens = '{"colors": {"a": "red"}}'""")


def test_only_new_tokens_are_a_new_version(database: Database) -> None:
    theme = add_theme(database)
    database.run("update public.themes set name = name || ' noire', tokens = tokens")
    assert database.run("select version from public.themes where id = %s", [theme]) == [(1,)]


# Which one is active.


@pytest.mark.parametrize("kind", STAFF)
def test_staff_activate_a_theme(database: Database, person: MakePerson, kind: str) -> None:
    theme = add_theme(database)
    person(kind).rpc("set_active_theme", p_theme_id=theme)
    assert active(database) == [theme]


def test_activating_the_active_theme_changes_nothing(
    database: Database, person: MakePerson
) -> None:
    [theme] = active(database)
    before = database.run("select * from public.themes order by id")
    person("admin").rpc("set_active_theme", p_theme_id=theme)
    assert database.run("select * from public.themes order by id") == before


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_who_is_not_staff_activates_nothing(
    database: Database, person: MakePerson, kind: str
) -> None:
    before, theme = active(database), add_theme(database)
    with pytest.raises(Refused) as refusal:
        person(kind).rpc("set_active_theme", p_theme_id=theme)
    assert refusal.value.code == "FORBIDDEN"
    assert active(database) == before


def test_a_visitor_activates_nothing(database: Database, visitor: Person) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        visitor.rpc("set_active_theme", p_theme_id=add_theme(database))


def test_an_unknown_or_deleted_theme_leaves_the_active_one(
    database: Database, person: MakePerson
) -> None:
    before, deleted = active(database), add_theme(database)
    database.run("delete from public.themes where id = %s", [deleted])
    for theme in (str(uuid4()), None, deleted):
        with pytest.raises(Refused) as refusal:
            person("admin").rpc("set_active_theme", p_theme_id=theme)
        assert (refusal.value.code, refusal.value.status) == ("NOT_FOUND", 404)
        assert active(database) == before


def test_the_second_of_two_activations_waits_and_wins(
    database: Database, person: MakePerson
) -> None:
    first, second = add_theme(database, "Un"), add_theme(database, "Deux")
    admin, owner = person("admin"), person("owner")
    with transaction_of(admin) as connection:
        connection.execute("select public.set_active_theme(%s)", [first])
        with in_background(lambda: owner.rpc("set_active_theme", p_theme_id=second)) as answer:
            wait_until_somebody_waits(database)
            connection.commit()
            answer.result()
    assert active(database) == [second]


def test_readers_do_not_wait_for_an_activation(
    database: Database, person: MakePerson, visitor: Person
) -> None:
    theme = add_theme(database)
    before = visitor.rpc("get_active_theme_tokens")
    with transaction_of(person("admin")) as connection:
        connection.execute("select public.set_active_theme(%s)", [theme])
        assert visitor.rpc("get_active_theme_tokens") == before


def test_many_activations_at_once_never_leave_zero_or_two(
    database: Database, person: MakePerson
) -> None:
    themes = [add_theme(database, f"Thème {number}") for number in range(CALLERS)]
    admins = [person("admin") for _ in themes]
    start, done = Barrier(CALLERS), Event()

    def activate(admin: Person, theme: str) -> None:
        for _ in range(ROUNDS):
            start.wait()
            admin.rpc("set_active_theme", p_theme_id=theme)

    def watch() -> set[int]:
        seen = set()
        with database.connect() as observer:
            while not done.is_set():
                for (count,) in observer.execute(
                    "select count(*) from public.themes where is_default"
                ):
                    seen.add(count)
        return seen

    with ThreadPoolExecutor(CALLERS + 1) as pool:
        watched = pool.submit(watch)
        for future in [
            pool.submit(activate, admin, theme) for admin, theme in zip(admins, themes, strict=True)
        ]:
            future.result()
        done.set()
    assert watched.result() == {1}
    assert active(database)[0] in themes


# Who hears of it.


def sent(database: Database) -> list[Any]:
    return database.run(
        "select topic, event, private, payload - 'id' from realtime.messages order by inserted_at",
        user="supabase_admin",
    )


@pytest.fixture
def silent(database: Database) -> Database:
    """The product when nothing has been published yet."""
    database.run("delete from realtime.messages", user="supabase_admin")
    return database


def test_an_activation_is_published_once(silent: Database, person: MakePerson) -> None:
    theme = add_theme(silent)
    person("admin").rpc("set_active_theme", p_theme_id=theme)
    assert sent(silent) == [("theme", "theme_changed", True, {"theme_id": theme, "version": 1})]


def test_new_tokens_of_the_active_theme_are_published(silent: Database) -> None:
    [theme] = active(silent)
    [(version,)] = silent.run("select version from public.themes where is_default")
    silent.run("update public.themes set tokens = %s where is_default", [Jsonb(tokens())])
    payload = {"theme_id": theme, "version": version + 1}
    assert sent(silent) == [("theme", "theme_changed", True, payload)]


def test_what_changes_no_page_is_not_published(silent: Database) -> None:
    theme = add_theme(silent)
    silent.run("update public.themes set tokens = %s where id = %s", [Jsonb(tokens(a={})), theme])
    silent.run("update public.themes set name = name || '!'")
    silent.run("delete from public.themes where id = %s", [theme])
    assert sent(silent) == []


def test_everybody_hears_of_a_new_theme(visitor: Person, person: MakePerson) -> None:
    for listener in (visitor, person(), person("owner"), person(status="suspended")):
        assert hears(listener, "theme")


def test_nobody_hears_another_topic_that_way(visitor: Person, person: MakePerson) -> None:
    for listener in (visitor, person()):
        assert not hears(listener, "themes")
        assert not hears(listener, "theme", "presence")


def test_nobody_speaks_on_the_topic(visitor: Person, person: MakePerson) -> None:
    for speaker in (visitor, person("owner")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            speaker.run(
                "insert into realtime.messages (topic, extension, event) "
                "values ('theme', 'broadcast', 'theme_changed')"
            )
