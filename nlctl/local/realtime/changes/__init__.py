"""Postgres changes: rows as they are inserted, updated and deleted, to those who may see them."""

from nlctl.local.realtime.changes.subscriptions import Subscriptions

__all__ = ["Subscriptions"]
