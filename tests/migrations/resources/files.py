"""Files as Storage keeps them, and what is attached to a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlctl.local.cluster import SUPERUSER

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.databases import Database

BUCKET = """
insert into storage.buckets (id, name) values ('resources', 'resources') on conflict do nothing
"""
OBJECT = """
insert into storage.objects (bucket_id, name, metadata)
values ('resources', %s, '{"mimetype": "application/pdf", "size": 1200}')
"""
LINK = "https://exemple.fr/guide"


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
