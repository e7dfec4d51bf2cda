"""Storage: buckets and objects, rows in the database and bytes in a folder."""

from nlctl.local.storage.app import create
from nlctl.local.storage.config import StorageConfig

__all__ = ["StorageConfig", "create"]
