"""Names in statements with parameters, where a percent sign has to be doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from psycopg.sql import Composable


def identifier(*parts: str) -> sql.SQL:
    """A name in quotes, with what it lies in."""
    return _doubled(sql.Identifier(*parts))


def literal(value: object) -> sql.SQL:
    """A constant."""
    return _doubled(sql.Literal(value))


def _doubled(name: Composable) -> sql.SQL:
    return sql.SQL(name.as_string().replace("%", "%%"))
