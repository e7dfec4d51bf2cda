"""Who attaches files and links to a module, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from tests.callers import anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.migrations.resources.files import (
    LINK,
    attach,
    upload,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


@pytest.mark.parametrize("kind", ["owner", "admin"])
def test_staff_attach_files_and_links(
    member: MakePerson, module: str, path: str, kind: str
) -> None:
    staff = member(kind)
    file, link = attach(staff, module, path), attach(staff, module, p_url=LINK)
    assert (file["kind"], file["title"], file["mime_type"], file["size_bytes"]) == (
        "file",
        "Guide",
        "application/pdf",
        1200,
    )
    assert (link["kind"], link["url"], link["mime_type"]) == ("link", LINK, None)
    assert (file["position"], link["position"]) == (0, 1)


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_nobody_else_attaches(member: MakePerson, module: str, kind: str) -> None:
    refusal = member(kind).refusal(
        "add_module_resource", p_builder_module_id=module, p_title="Guide", p_url=LINK
    )
    assert refusal.code == "FORBIDDEN"


def test_the_suspended_and_visitors_attach_nothing(
    school: Database, member: MakePerson, module: str
) -> None:
    asked = {"p_builder_module_id": module, "p_title": "Guide", "p_url": LINK}
    eve = member("admin", status="suspended")
    assert eve.refusal("add_module_resource", **asked).code == "FORBIDDEN"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc("add_module_resource", **asked)


@pytest.mark.parametrize(
    ("asked", "code", "details"),
    [
        ({"p_title": None}, "INVALID", "title"),
        ({"p_title": "  "}, "INVALID", "title"),
        ({"p_title": "a" * 201}, "INVALID", "title"),
        ({"p_url": None}, "INVALID", "storage_path"),
        ({"p_storage_path": "{module}/guide.pdf"}, "INVALID", "storage_path"),
        ({"p_url": "http://exemple.fr"}, "INVALID", "url"),
        ({"p_url": "https://a b"}, "INVALID", "url"),
        ({"p_url": "https://a\nb"}, "INVALID", "url"),
        ({"p_url": "javascript:alert(1)"}, "INVALID", "url"),
        ({"p_url": "https://" + "a" * 2000}, "INVALID", "url"),
        ({"p_builder_module_id": None}, "NOT_FOUND", None),
        ({"p_builder_module_id": str(uuid4())}, "NOT_FOUND", None),
        ({"p_url": None, "p_storage_path": "{module}/absent.pdf"}, "NOT_FOUND", None),
        ({"p_url": None, "p_storage_path": "{other}/guide.pdf"}, "NOT_FOUND", None),
    ],
)
def test_an_odd_resource_is_refused(
    school: Database,
    admin: Person,
    module: str,
    asked: dict[str, str | None],
    code: str,
    details: str | None,
) -> None:
    other = str(uuid4())
    upload(school, f"{other}/guide.pdf")
    given = {"p_builder_module_id": module, "p_title": "Guide", "p_url": LINK} | asked
    refusal = admin.refusal(
        "add_module_resource",
        **{
            name: value and value.format(module=module, other=other)
            for name, value in given.items()
        },
    )
    assert (refusal.code, refusal.details) == (code, details)


def test_nothing_is_attached_to_a_module_that_is_deleted(
    admin: Person, module: str, path: str
) -> None:
    admin.run("delete from public.builder_modules where id = %s", [module])
    refusal = admin.refusal(
        "add_module_resource", p_builder_module_id=module, p_title="Guide", p_storage_path=path
    )
    assert refusal.code == "NOT_FOUND"


def test_a_file_is_attached_once(admin: Person, module: str, path: str) -> None:
    asked = {"p_builder_module_id": module, "p_title": "Guide", "p_storage_path": path}
    answers = at_once(*[lambda: admin.rpc("add_module_resource", **asked)] * 2)
    assert [each.code for each in answers if not isinstance(each, dict)] == ["CONFLICT"]


def test_two_links_attached_at_once_take_two_places(
    school: Database, member: MakePerson, admin: Person, module: str
) -> None:
    with transaction_of(member("admin")) as attaching:
        attaching.execute(
            "select public.add_module_resource(%s, 'Un', p_url => %s)", [module, LINK]
        )
        with in_background(lambda: attach(admin, module, p_url=LINK)) as other:
            wait_until_somebody_waits(school)
            attaching.commit()
            assert other.result()["position"] == 1


def test_a_file_is_not_attached_while_its_module_is_deleted(
    school: Database, member: MakePerson, admin: Person, module: str, path: str
) -> None:
    asked = {"p_builder_module_id": module, "p_title": "Guide", "p_storage_path": path}
    with transaction_of(member("admin")) as deleting:
        deleting.execute("delete from public.builder_modules where id = %s", [module])
        with in_background(lambda: admin.refusal("add_module_resource", **asked)) as attaching:
            wait_until_somebody_waits(school)
            deleting.commit()
            assert attaching.result().code == "NOT_FOUND"


def test_staff_change_titles_and_places_and_nothing_else(admin: Person, module: str) -> None:
    made = attach(admin, module, p_url=LINK)
    admin.run(
        "update public.resources set title = 'Plan', position = 4 where id = %s", [made["id"]]
    )
    assert admin.run(
        "select title, position from public.resources where id = %s", [made["id"]]
    ) == [{"title": "Plan", "position": 4}]
    for column in ("url", "storage_path", "builder_module_id", "deleted_at"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.run(f"update public.resources set {column} = null")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.run("insert into public.resources (title) values ('Plan')")
