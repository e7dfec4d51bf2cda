"""Remove an object whose row is gone. SQL has decided; only Storage deletes the bytes."""

from pydantic import BaseModel

from supabase import AsyncClient

QUEUE = "storage"


class StorageObject(BaseModel):
    """An object by its place."""

    bucket: str
    name: str


async def handle(thing: StorageObject, db: AsyncClient) -> None:
    """Remove it. What Storage does not find is gone already, so a second run changes nothing."""
    await db.storage.from_(thing.bucket).remove([thing.name])
