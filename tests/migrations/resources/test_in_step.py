"""A row and its object come and go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from nlctl.local.cluster import SUPERUSER
from tests.migrations.resources.files import (
    BUCKET,
    LINK,
    as_storage,
    attach,
    living,
    removals,
    upload,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database


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
