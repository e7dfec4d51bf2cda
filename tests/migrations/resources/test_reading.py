"""Who reads what is attached, as rows and as objects, and who sends files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.database import act_as
from nlctl.local.cluster import SUPERUSER
from tests.formations import compose, publish, start
from tests.migrations.resources.files import (
    BUCKET,
    LINK,
    attach,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

KINDS = {"prof", "client", "admin", "owner"}


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        ("enrolled", True),
        ("followed", True),
        ("prof assigned", True),
        ("admin", True),
        ("owner", True),
        ("composed", False),
        ("prof", False),
        ("client", False),
        ("suspended", False),
    ],
)
def test_who_follows_a_module_reads_its_resources_and_objects(
    school: Database,
    member: MakePerson,
    admin: Person,
    module: str,
    path: str,
    who: str,
    reads: bool,
) -> None:
    made = attach(admin, module, path)
    author = member()
    reader = (
        member(who.removesuffix(" assigned")) if who.removesuffix(" assigned") in KINDS else author
    )
    match who:
        case "enrolled" | "suspended":
            reader.rpc("enrol_in_course", p_course_id=publish(admin, [module]))
        case "composed":
            compose(reader, [module])
        case "followed" | "prof assigned":
            formation = start(author, admin, [module]).formation_id
            if who == "prof assigned":
                admin.rpc("assign_formation_prof", p_formation_id=formation, p_prof_id=reader.id)
    if who == "suspended":
        school.run("update public.profiles set status = 'suspended' where id = %s", [reader.id])
    seen = (
        reader.run("select id from public.resources where id = %s", [made["id"]]),
        reader.run("select id from storage.objects where name = %s", [path]),
    )
    assert [bool(rows) for rows in seen] == [reads, reads]


def test_nobody_reads_a_resource_that_is_deleted(admin: Person, module: str) -> None:
    made = attach(admin, module, p_url=LINK)
    admin.run("delete from public.resources where id = %s", [made["id"]])
    assert admin.run("select id from public.resources where id = %s", [made["id"]]) == []


@pytest.mark.parametrize(("kind", "may"), [("admin", True), ("prof", False), ("client", False)])
def test_only_staff_send_files(
    school: Database, member: MakePerson, path: str, kind: str, may: bool
) -> None:
    sender = member(kind)
    name = path.replace("guide", kind)
    send = "insert into storage.objects (bucket_id, name) values ('resources', %s)"
    if may:
        sender.run(send, [name])
        return
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sender.run(send, [name])


def test_staff_put_no_file_into_another_bucket(school: Database, admin: Person, path: str) -> None:
    with school.connect(SUPERUSER) as storage:
        storage.execute(BUCKET.replace("resources", "avatars").encode())
    with school.connect(autocommit=False) as connection:
        # Standing on the row, so that only the policy for changes looks at it.
        connection.execute(
            "declare file cursor for select from storage.objects where name = %s for update", [path]
        )
        connection.execute("fetch file")
        act_as(connection, admin.caller)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "update storage.objects set bucket_id = 'avatars' where current of file"
            )
