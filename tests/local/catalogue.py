"""What a database's catalogue says, in short words that tests can list."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.databases import Database


def version(database: Database) -> int:
    """The server's major version."""
    [(number,)] = database.run("select current_setting('server_version_num')::int / 10000")
    return int(number)


def columns(database: Database, table: str) -> dict[str, str]:
    """Each column's type, with what is said of it: not null, default, generated."""
    rows = database.run(
        """
        select a.attname, concat_ws(' ',
          format_type(a.atttypid, a.atttypmod),
          case when a.attnotnull then 'not null' end,
          case when a.attgenerated = 's' then 'generated ' || pg_get_expr(d.adbin, d.adrelid) end,
          case when a.attidentity = 'a' then 'identity' end,
          case when a.attgenerated = '' then 'default ' || pg_get_expr(d.adbin, d.adrelid) end)
        from pg_attribute as a
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
        order by a.attnum
        """,
        (table,),
    )
    return dict(rows)


def privileges(database: Database, table: str, role: str) -> set[str]:
    """What `role` itself was granted on a table; a star where it may pass it on."""
    rows = database.run(
        """
        select privilege_type || case when is_grantable then '*' else '' end
        from pg_class, aclexplode(relacl)
        where pg_class.oid = %s::regclass and grantee = %s::regrole
        """,
        (table, role),
    )
    return {privilege for (privilege,) in rows}


def owner(database: Database, table: str) -> str:
    """Whom a table belongs to."""
    [(name,)] = database.run(
        "select relowner::regrole::text from pg_class where oid = %s::regclass", (table,)
    )
    return str(name)
