"""Names and texts as SQL writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Name(NamedTuple):
    """The name of something in a schema; an empty schema leaves it to the query around."""

    schema: str
    name: str

    @property
    def sql(self) -> str:
        name = identifier(self.name)
        return f"{identifier(self.schema)}.{name}" if self.schema else name


def identifier(name: str) -> str:
    """A quoted name. PostgreSQL has no null character, so a name ends there."""
    return '"' + name.partition("\0")[0].replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    return ", ".join(identifier(name) for name in names)


def literal(text: str) -> str:
    """A quoted text, read the same whatever standard_conforming_strings says."""
    escaped = text.partition("\0")[0].replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'" if "\\" in escaped else f"'{escaped}'"


def array(values: Iterable[str]) -> str:
    """An array as PostgreSQL reads it from text, of whatever type it is to become."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"
