"""The product runs on the PostgreSQL versions that Supabase runs, not only on the embedded one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl import catalogue
from nlctl.catalogue import differences, reprint
from nlctl.local import binaries
from tests import callers, databases, products

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.project import Project
    from tests.databases import Database

DEBIAN = Path("/usr/lib/postgresql")
INSTALLED = [major for major in ("15", "16", "17") if (DEBIAN / major / "bin").is_dir()]


@pytest.fixture(scope="module", params=INSTALLED or ["none"])
def older(request: pytest.FixtureRequest, project: Project) -> Iterator[Database]:
    """The whole product on an older server."""
    if request.param == "none":
        pytest.skip("Debian's PostgreSQL 15, 16 or 17 is not installed here")
    cluster = databases.start_cluster(binaries.at(DEBIAN / request.param / "bin"))
    made = databases.create(cluster)
    products.install(made, project)
    yield made
    databases.destroy_cluster(cluster)


def test_everything_is_applied(older: Database, project: Project) -> None:
    applied = older.run("select version from supabase_migrations.schema_migrations order by 1")

    files = sorted(project.migrations(project.default_name).glob("*.sql"))
    assert [row[0] for row in applied] == [file.name.split("_")[0] for file in files]


def test_installing_again_changes_nothing(older: Database, project: Project) -> None:
    products.install(older, project)


def test_a_visitor_reads_the_theme(older: Database) -> None:
    assert callers.anonymous(older).rpc("get_active_theme_tokens")["colors"]


def test_a_client_sees_only_himself(older: Database) -> None:
    ada = callers.sign_up(older, "client")
    callers.sign_up(older, "client")

    assert [row["id"] for row in ada.run("select id::text from public.profiles")] == [ada.id]


def test_the_newest_postgres_finds_no_difference(
    older: Database, product_template: Database
) -> None:
    with (
        closing(product_template.connect()) as newest,
        closing(older.connect()) as connection,
    ):
        expected = catalogue.read(newest)
        found = reprint.views(catalogue.read(connection), expected, newest)

    assert [*map(str, differences.between(expected, found))] == []
