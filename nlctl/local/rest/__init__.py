"""The Data API: tables and functions of PostgreSQL over HTTP, as PostgREST speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.app import DataApi
from nlctl.local.rest.config import RestConfig
from nlctl.local.rest.database import Database

if TYPE_CHECKING:
    from nlctl.local.tokens import Keyring

__all__ = ["DataApi", "RestConfig", "create"]


def create(config: RestConfig, keyring: Keyring) -> DataApi:
    """The ASGI app; it has to be started before it answers, by itself or by its server."""
    return DataApi(Database(config), keyring)
