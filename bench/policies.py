"""Each policy weakened or dropped in turn: how many of these does the access matrix notice?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from nlctl import access, console
from nlctl import project as projects
from tests import databases, mutants, products

if TYPE_CHECKING:
    from nlctl.project import Project

DECLARED = Path("tests", "migrations", "access")


def score(connection: psycopg.Connection, project: Project) -> None:
    """Print each mutant with what became of it, and the share that was noticed."""
    declared = access.read(project.root / DECLARED)
    connection.execute((project.root / DECLARED / "scene.sql").read_bytes())
    survey = access.Survey(connection, project.exposed_schemas)
    bred = mutants.breed(connection)
    by_title = {line.title: line for line in declared}
    rows = []
    with console.progress("Weakening", len(bred)) as advance:
        for mutant in bred:
            noticed = mutant.is_noticed(connection, survey, by_title)
            rows.append((mutant.policy, mutant.change, "noticed" if noticed else "SURVIVED"))
            advance(str(mutant))
    console.say_table(("policy", "change", ""), rows)
    killed = sum(outcome == "noticed" for *_, outcome in rows)
    console.say(f"{killed} of {len(rows)} noticed: {killed / len(rows):.1%}")


def main() -> None:
    """Make a server on memory, put the product on it, weaken it, throw it away."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    project = projects.find()
    cluster = databases.start_cluster()
    try:
        database = databases.create(cluster)
        products.install(database, project)
        products.make_buckets(database, project)
        with psycopg.connect(database.url) as connection:
            score(connection, project)
            connection.rollback()
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
