"""Courses: who reads which, what a version counts, what a course says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from tests.callers import Refused, anonymous
from tests.formations import NOBODY, compose, make_palette, publish, start

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

STAFF = ["owner", "admin"]
RPCS = ["get_course", "list_published_courses"]


def assign(staff: Person, formation: str, prof: Person) -> None:
    staff.rpc("assign_formation_prof", p_formation_id=formation, p_prof_id=prof.id)


def modules_of(reader: Person, course: str) -> list[str]:
    rows = reader.run("select id from public.course_modules where course_id = %s", [course])
    return [str(row["id"]) for row in rows]


# Reading.


@pytest.mark.parametrize("kind", ["owner", "admin", "prof", "client"])
def test_everybody_reads_a_published_course(
    school: Database, member: MakePerson, kind: str
) -> None:
    course = publish(member("admin"), make_palette(school, 2), "Bases du tournage")
    reader = member(kind)
    told = reader.rpc("get_course", p_course_id=course)
    assert (told["title"], told["status"], told["slug"][:17]) == (
        "Bases du tournage",
        "published",
        "bases-du-tournage",
    )
    assert [(each["title"], each["duration"], each["position"]) for each in told["modules"]] == [
        ("Module 1", 10, 0),
        ("Module 2", 20, 1),
    ]
    assert [
        row["version"]
        for row in reader.run("select version from public.courses where id = %s", [course])
    ] == [told["version"]]
    assert len(modules_of(reader, course)) == 2


@pytest.mark.parametrize("state", ["draft", "archived", "deleted"])
@pytest.mark.parametrize("kind", ["prof", "client"])
def test_a_standard_course_that_is_not_published_is_for_staff(
    school: Database, member: MakePerson, kind: str, state: str
) -> None:
    admin = member("admin")
    course = compose(admin, make_palette(school, 1), p_course_type="standard")
    if state != "draft":
        admin.rpc("publish_course", p_course_id=course)
        admin.rpc("archive_course" if state == "archived" else "delete_course", p_course_id=course)
    reader = member(kind)
    with pytest.raises(Refused) as refusal:
        reader.rpc("get_course", p_course_id=course)
    assert refusal.value.code == "NOT_FOUND"
    assert reader.run("select id from public.courses where id = %s", [course]) == []
    assert modules_of(reader, course) == []


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        ("author", True),
        ("prof assigned", True),
        ("prof", False),
        ("client", False),
        ("admin", True),
        ("owner", True),
    ],
)
def test_a_custom_course_is_for_its_author_his_prof_and_staff(
    school: Database, member: MakePerson, who: str, reads: bool
) -> None:
    admin, author = member("admin"), member()
    board = start(author, admin, make_palette(school, 1))
    reader = author if who == "author" else member(who.removesuffix(" assigned"))
    if who == "prof assigned":
        assign(admin, board.formation_id, reader)
    assert [
        bool(rows)
        for rows in (
            reader.run("select id from public.courses where id = %s", [board.course_id]),
            modules_of(reader, board.course_id),
        )
    ] == [reads, reads]
    if reads:
        assert reader.rpc("get_course", p_course_id=board.course_id)["modules"] != []
        return
    with pytest.raises(Refused) as refusal:
        reader.rpc("get_course", p_course_id=board.course_id)
    assert refusal.value.code == "NOT_FOUND"


@pytest.mark.parametrize("who", ["author", "prof", "client", "admin"])
def test_nobody_reads_a_course_that_is_deleted(
    school: Database, member: MakePerson, who: str
) -> None:
    admin, author = member("admin"), member()
    board = start(author, admin, make_palette(school, 1))
    reader = author if who == "author" else member(who)
    if who == "prof":
        assign(admin, board.formation_id, reader)
    author.rpc("delete_course", p_course_id=board.course_id)
    assert reader.run("select id from public.courses where id = %s", [board.course_id]) == []
    assert modules_of(reader, board.course_id) == []
    with pytest.raises(Refused) as refusal:
        reader.rpc("get_course", p_course_id=board.course_id)
    assert refusal.value.code == "NOT_FOUND"


def test_the_suspended_read_nothing(school: Database, member: MakePerson) -> None:
    course = publish(member("admin"), make_palette(school, 1))
    eve = member(status="suspended")
    assert eve.run("select id from public.courses") == []
    assert eve.run("select id from public.course_modules") == []
    for function, arguments in zip(RPCS, ({"p_course_id": course}, {}), strict=True):
        with pytest.raises(Refused) as refusal:
            eve.rpc(function, **arguments)
        assert refusal.value.code == "FORBIDDEN"


@pytest.mark.parametrize("function", RPCS)
def test_a_visitor_may_not_ask(school: Database, function: str) -> None:
    arguments = {"p_course_id": NOBODY} if function == "get_course" else {}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(function, **arguments)


@pytest.mark.parametrize("asked", [None, NOBODY])
def test_a_course_that_is_not_there_is_not_found(member: MakePerson, asked: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        member("admin").rpc("get_course", p_course_id=asked)
    assert refusal.value.code == "NOT_FOUND"


def test_nobody_writes_courses_past_the_functions(school: Database, member: MakePerson) -> None:
    owner = member("owner")
    compose(owner, make_palette(school, 1))
    for table in ("courses", "course_modules"):
        for statement in (
            f"update public.{table} set title = 'Mien'",
            f"delete from public.{table}",
            f"insert into public.{table} (title) values ('Mien')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.run(statement)


# The catalogue.


def test_the_catalogue_is_read_page_by_page(database: Database, person: MakePerson) -> None:
    admin, ada = person("admin"), person()
    modules = make_palette(database, 2)
    wanted = ["Été", "Forge", "Forge", "Soudure", "Vannerie"]
    for title in wanted[::-1]:
        publish(admin, modules, title)
    compose(admin, modules, "Brouillon", p_course_type="standard")
    compose(ada, modules, "À moi")
    seen: list[dict[str, Any]] = []
    while page := ada.rpc(
        "list_published_courses",
        p_limit=2,
        p_after_title=seen[-1]["title"] if seen else None,
        p_after_id=seen[-1]["id"] if seen else None,
    ):
        seen += page
    assert sorted(course["title"] for course in seen) == sorted(wanted)
    assert len({course["id"] for course in seen}) == len(wanted)
    assert [(course["modules_total"], course["duration"]) for course in seen] == [(2, 30)] * 5


def test_an_empty_catalogue_is_an_empty_list(person: MakePerson) -> None:
    assert person().rpc("list_published_courses") == []


@pytest.mark.parametrize("words", ["ete", "ÉTÉ", " été ", "L’ÉTÉ", "tÉ e", "é", "cu"])
def test_a_course_is_found_without_accents(
    database: Database, person: MakePerson, words: str
) -> None:
    admin = person("admin")
    modules = make_palette(database, 1)
    publish(admin, modules, "L'été en cuisine")
    publish(admin, modules, "Poêles & 100 %")
    found = admin.rpc("list_published_courses", p_search=words)
    assert [course["title"] for course in found] == ["L'été en cuisine"]


@pytest.mark.parametrize("limit", [0, 101, -1, None])
def test_an_odd_page_is_refused(member: MakePerson, limit: int | None) -> None:
    with pytest.raises(Refused) as refusal:
        member().rpc("list_published_courses", p_limit=limit)
    assert (refusal.value.code, refusal.value.details) == ("INVALID", "limit")


# What must hold, whoever writes.


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("course_type", "'autre'"),
        ("status", "'autre'"),
        ("title", "' '"),
        ("slug", "'Ma formation'"),
        ("slug", "'-a'"),
        ("description", "repeat('a', 5001)"),
        ("version", "0"),
        ("author_id", "null"),
    ],
)
def test_a_server_too_keeps_to_what_a_course_can_be(
    school: Database, member: MakePerson, column: str, wrong: str
) -> None:
    course = compose(member(), make_palette(school, 1))
    with pytest.raises(psycopg.errors.CheckViolation):
        school.run(
            f"update public.courses set {column} = {wrong} where id = %s",
            [course],
        )


def test_a_standard_course_is_never_submitted(school: Database, member: MakePerson) -> None:
    course = publish(member("admin"), make_palette(school, 1))
    with pytest.raises(psycopg.errors.CheckViolation):
        school.run("update public.courses set status = 'submitted' where id = %s", [course])


def test_a_slug_is_free_again_once_its_course_is_deleted(
    school: Database, member: MakePerson
) -> None:
    admin = member("admin")
    modules = make_palette(school, 1)
    first, second = publish(admin, modules), publish(admin, modules)
    take = "update public.courses set slug = %s where id = %s"
    slug = f"prise-{uuid4().hex[:8]}"
    school.run(take, [slug, first])
    with pytest.raises(psycopg.errors.UniqueViolation):
        school.run(take, [slug, second])
    admin.rpc("delete_course", p_course_id=first)
    school.run(take, [slug, second])
    assert admin.rpc("get_course", p_course_id=second)["slug"] == slug


@pytest.mark.parametrize("kind", STAFF)
def test_a_standard_course_stays_when_its_author_goes(
    school: Database, member: MakePerson, kind: str
) -> None:
    author, reader = member(kind), member()
    member("owner")  # so that he is not the last one
    course = publish(author, make_palette(school, 1))
    school.run("delete from auth.users where id = %s", [author.id])
    assert reader.rpc("get_course", p_course_id=course)["author_id"] is None
