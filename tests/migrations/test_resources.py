"""Files and links of a module: the row and its object, who attaches, who reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from nlctl.database import act_as
from nlctl.local.cluster import SUPERUSER
from tests.callers import anonymous
from tests.concurrency import at_once, in_background, transaction_of, wait_until_somebody_waits
from tests.formations import compose, make_palette, publish, start

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database

BUCKET = """
insert into storage.buckets (id, name) values ('resources', 'resources') on conflict do nothing
"""
OBJECT = """
insert into storage.objects (bucket_id, name, metadata)
values ('resources', %s, '{"mimetype": "application/pdf", "size": 1200}')
"""
KINDS = {"prof", "client", "admin", "owner"}
LINK = "https://exemple.fr/guide"


@pytest.fixture
def admin(member: MakePerson) -> Person:
    """Who attaches."""
    return member("admin")


@pytest.fixture
def module(school: Database) -> str:
    """A module of the palette."""
    return make_palette(school, 1)[0]


@pytest.fixture
def path(school: Database, module: str) -> str:
    """A file in the folder of the module, as Storage keeps it."""
    return upload(school, f"{module}/guide.pdf")


def upload(database: Database, name: str) -> str:
    with database.connect(SUPERUSER) as storage:
        storage.execute(BUCKET)
        storage.execute(OBJECT.encode(), [name])
    return name


def as_storage(database: Database, statement: str, name: str) -> None:
    """Change an object as the Storage service does, which alone may delete one."""
    with database.connect(SUPERUSER, autocommit=False) as storage:
        storage.execute("select set_config('storage.allow_delete_query', 'true', true)")
        storage.execute(f"{statement} where bucket_id = 'resources' and name = %s".encode(), [name])
        storage.commit()


def attach(staff: Person, module: str, path: str | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = staff.rpc(
        "add_module_resource",
        p_builder_module_id=module,
        p_title=" Guide ",
        p_storage_path=path,
        **more,
    )
    return made


def living(database: Database, resource: str) -> bool:
    [(is_living,)] = database.run(
        "select deleted_at is null from public.resources where id = %s", [resource]
    )
    return bool(is_living)


def removals(database: Database, path: str) -> list[dict[str, Any]]:
    """What waits for a worker about this object."""
    return [
        row[0]
        for row in database.run(
            "select args from procrastinate.procrastinate_jobs "
            "where task_name = 'remove-storage-object' and args ->> 'name' = %s",
            [path],
        )
    ]


# Attaching.


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


# In step.


def test_a_deleted_resource_leaves_its_object_to_a_worker(
    school: Database, admin: Person, module: str, path: str
) -> None:
    made = attach(admin, module, path)
    admin.run("delete from public.resources where id = %s", [made["id"]])
    assert not living(school, made["id"])
    assert removals(school, path) == [{"bucket": "resources", "name": path}]


def test_a_file_that_a_worker_shall_remove_is_not_attached_again(
    school: Database, admin: Person, module: str, path: str
) -> None:
    made = attach(admin, module, path)
    admin.run("delete from public.resources where id = %s", [made["id"]])
    again = {"p_builder_module_id": module, "p_title": "Guide", "p_storage_path": path}
    refused = admin.refusal("add_module_resource", **again)
    assert (refused.code, refused.message) == (
        "CONFLICT",
        "Ce fichier est en cours de suppression.",
    )

    school.run("update procrastinate.procrastinate_jobs set status = 'succeeded'")
    assert attach(admin, module, path)["storage_path"] == path


def test_a_deleted_link_leaves_nothing_to_do(school: Database, admin: Person, module: str) -> None:
    made = attach(admin, module, p_url=LINK)
    before = school.run("select count(*) from procrastinate.procrastinate_jobs")
    admin.run("delete from public.resources where id = %s", [made["id"]])
    assert school.run("select count(*) from procrastinate.procrastinate_jobs") == before


def test_a_module_deleted_for_good_leaves_its_objects_to_a_worker(
    school: Database, admin: Person, module: str, path: str
) -> None:
    attach(admin, module, path)
    admin.run("delete from public.builder_modules where id = %s", [module])
    assert removals(school, path) == []
    school.run("select app.purge_deleted('public.builder_modules', now())")
    assert removals(school, path) == [{"bucket": "resources", "name": path}]


def test_an_object_that_goes_takes_its_resource_along(
    school: Database, admin: Person, module: str, path: str
) -> None:
    made = attach(admin, module, path)
    as_storage(school, "delete from storage.objects", path)
    assert not living(school, made["id"])
    # A removal would hit whatever takes the name meanwhile.
    assert removals(school, path) == []


def test_the_name_is_free_again(school: Database, admin: Person, module: str, path: str) -> None:
    attach(admin, module, path)
    as_storage(school, "delete from storage.objects", path)
    upload(school, path)
    assert living(school, attach(admin, module, path)["id"])


def test_an_object_with_other_content_tells_its_resource(
    admin: Person, school: Database, module: str, path: str
) -> None:
    made = attach(admin, module, path)
    as_storage(
        school,
        """update storage.objects set metadata = '{"mimetype": "image/png", "size": 7}'""",
        path,
    )
    assert admin.run(
        "select mime_type, size_bytes from public.resources where id = %s", [made["id"]]
    ) == [{"mime_type": "image/png", "size_bytes": 7}]


@pytest.mark.parametrize("change", ["name = name || '.old'", "bucket_id = 'avatars'"])
def test_an_object_stays_where_its_resource_says(
    school: Database, admin: Person, module: str, path: str, change: str
) -> None:
    with school.connect(SUPERUSER) as storage:
        storage.execute(BUCKET.replace("resources", "avatars").encode())
    made = attach(admin, module, path)
    with pytest.raises(psycopg.Error) as error:
        as_storage(school, f"update storage.objects set {change}", path)
    assert error.value.sqlstate == "PGRST"
    admin.run("delete from public.resources where id = %s", [made["id"]])
    as_storage(school, f"update storage.objects set {change}", path)


# Who reads.


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
