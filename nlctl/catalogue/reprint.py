"""Reprinting: views as another server would print them.

Since PostgreSQL 16 a view of one table is printed without the table's name before each column. So
the text of one server is read by the other, which holds the same tables, and printed again there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from psycopg import Connection

    from nlctl.catalogue.model import Catalogue, View


def views(found: Catalogue, expected: Catalogue, printer: Connection[Any]) -> Catalogue:
    """`found` with its views in the words of `expected`, which `printer` is connected to."""
    if found.server_version == expected.server_version:
        return found
    known = {view.full_name: view.definition for view in expected.views}
    return replace(
        found,
        views=tuple(
            view
            if known.get(view.full_name, view.definition) == view.definition
            else _reprint(view, printer)
            for view in found.views
        ),
    )


def _reprint(view: View, printer: Connection[Any]) -> View:
    try:
        with printer.transaction(force_rollback=True):
            printer.execute("set local search_path = ''")
            printer.execute(f"create temporary view reprinted as {view.definition}")
            row = printer.execute("select pg_get_viewdef('pg_temp.reprinted'::regclass)").fetchone()
    except psycopg.Error:  # it is not the same view at all
        return view
    return replace(view, definition=row[0]) if row else view
