"""A file that was uploaded waits a day for its row, then it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.concurrency import in_background, wait_until_somebody_waits
from tests.migrations.resources.files import as_storage, attach, removals, upload

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database

WAITS = """
select scheduled_at - now() from procrastinate.procrastinate_jobs
where task_name = 'remove-storage-object' and args ->> 'name' = %s and status = 'todo'
"""


def test_what_nobody_attaches_goes_after_a_day(school: Database, path: str) -> None:
    [(pause,)] = school.run(WAITS, [path])
    assert timedelta(hours=23) < pause <= timedelta(days=1)
    assert removals(school, path) == [{"bucket": "resources", "name": path}]


def test_what_is_attached_stays(school: Database, admin: Person, module: str, path: str) -> None:
    attach(admin, module, path)
    assert removals(school, path) == []


def test_what_a_server_attaches_stays(school: Database, module: str, path: str) -> None:
    school.run(
        "insert into public.resources (builder_module_id, title, storage_path) "
        "values (%s, 'Guide', %s)",
        [module, path],
    )
    assert removals(school, path) == []


@pytest.mark.parametrize("state", ["doing", "failed"])
def test_what_is_going_is_not_attached(
    school: Database, admin: Person, module: str, path: str, state: str
) -> None:
    school.run(
        "update procrastinate.procrastinate_jobs set status = %s::procrastinate."
        "procrastinate_job_status where args ->> 'name' = %s",
        [state, path],
    )
    attach_it = {"p_builder_module_id": module, "p_title": "Guide", "p_storage_path": path}
    assert admin.refusal("add_module_resource", **attach_it).code == "CONFLICT"


def test_what_a_worker_takes_meanwhile_is_not_attached(
    school: Database, admin: Person, module: str, path: str
) -> None:
    attach_it = {"p_builder_module_id": module, "p_title": "Guide", "p_storage_path": path}
    with school.connect(autocommit=False) as worker:
        worker.execute(
            "update procrastinate.procrastinate_jobs set status = 'doing' "
            "where args ->> 'name' = %s",
            [path],
        )
        with in_background(lambda: admin.refusal("add_module_resource", **attach_it)) as answer:
            wait_until_somebody_waits(school)
            worker.commit()
            assert answer.result().code == "CONFLICT"


def test_a_removal_that_is_tried_again_is_not_called_off(
    school: Database, admin: Person, module: str, path: str
) -> None:
    school.run(
        "update procrastinate.procrastinate_jobs set attempts = 1 where args ->> 'name' = %s",
        [path],
    )
    attach_it = {"p_builder_module_id": module, "p_title": "Guide", "p_storage_path": path}
    assert admin.refusal("add_module_resource", **attach_it).code == "CONFLICT"


def test_what_comes_again_has_a_day_of_its_own(school: Database, path: str) -> None:
    school.run(
        "update procrastinate.procrastinate_jobs set scheduled_at = now() "
        "where args ->> 'name' = %s",
        [path],
    )
    as_storage(school, "delete from storage.objects", path)
    assert removals(school, path) == []
    upload(school, path)
    [(pause,)] = school.run(WAITS, [path])
    assert pause > timedelta(hours=23)


def test_what_is_moved_waits_under_its_new_name(school: Database, path: str) -> None:
    as_storage(school, "update storage.objects set name = name || '.old'", path)
    assert removals(school, path) == []
    assert removals(school, f"{path}.old") == [{"bucket": "resources", "name": f"{path}.old"}]


def test_a_detached_file_goes_at_once(
    school: Database, admin: Person, module: str, path: str
) -> None:
    made = attach(admin, module, path)
    admin.run("delete from public.resources where id = %s", [made["id"]])
    assert school.run(WAITS, [path]) == [(None,)]
