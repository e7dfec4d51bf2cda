"""Rights: each request is one transaction as whoever asks, and nothing of it stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest.serving import ADA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database
    from tests.local.rest.school.asking import School

GUARD = """
create function public.garde() returns void language plpgsql as $$
begin
  if current_setting('request.path') = '/journal' then
    raise exception 'Fermé.' using errcode = 'PT403';
  end if;
end $$
"""


@pytest.fixture
def trainee(own_database: Database) -> Iterator[str]:
    """A role with settings of its own. Roles are everybody's, so it goes with the test."""
    with own_database.connect("supabase_admin") as admin:
        admin.execute("create role trainee")
        admin.execute("grant trainee to authenticator")
        admin.execute("grant usage on schema public, auth to trainee")
        admin.execute("alter role trainee set statement_timeout = '1234ms'")
        admin.execute("alter role trainee set default_transaction_isolation = 'repeatable read'")
        yield "trainee"
        admin.execute("drop owned by trainee")
        admin.execute("drop role trainee")


def test_each_pupil_reads_their_own_marks(school: School, ada: School, ben: School) -> None:
    values = [who.get("/notes?select=valeur&order=valeur").json for who in (ada, ben, school)]
    assert values == [[{"valeur": 9}, {"valeur": 15.5}], [{"valeur": 12}], []]


def test_marks_of_others_do_not_come_with_an_embed(ben: School) -> None:
    answer = ben.get("/eleves?select=prenom,notes(valeur)&order=id&limit=2")
    assert answer.json == [
        {"prenom": "Ada", "notes": []},
        {"prenom": "Ben", "notes": [{"valeur": 12}]},
    ]


def test_marks_of_others_are_neither_counted_nor_expected(ben: School) -> None:
    answer = ben.get("/notes?limit=1", Prefer="count=exact")
    assert answer.headers["content-range"] == "0-0/1"


def test_a_pupil_changes_only_their_own_marks(ben: School) -> None:
    answer = ben.patch(
        "/notes?id=gt.0&select=eleve_id", {"valeur": 20}, Prefer="return=representation"
    )
    assert answer.json == [{"eleve_id": 2}]


def test_a_pupil_cannot_write_for_another(ben: School) -> None:
    answer = ben.post("/notes", {"eleve_id": 1, "valeur": 20, "proprietaire": ADA})
    assert (answer.status, answer.code) == (403, "42501")


def test_a_mark_needs_the_right_to_be_seen_to_be_shown(school: School) -> None:
    visitor = school.post("/notes", {"eleve_id": 1, "valeur": 1})
    assert (visitor.status, visitor.code) == (401, "42501")


def test_people_who_ask_in_turn_on_one_connection_stay_apart(ada: School, ben: School) -> None:
    counts = [len(who.get("/notes").json) for who in (ada, ben) * 8]
    assert counts == [2, 1] * 8


def test_the_context_of_a_request_is_known_in_sql(ada: School) -> None:
    told = ada.get("/rpc/contexte", X_Mot="été", Prefer="timezone=Europe/Paris").json
    assert told["role"] == "authenticated"
    assert told["uid"] == ADA
    assert told["claims"]["role"] == "authenticated"
    assert told["chemin"] == '"public", "public", "extensions"'
    assert told["delai"] == "8s"
    assert told["lecture"] == "on"
    assert (told["methode"], told["page"]) == ("GET", "/rpc/contexte")
    assert told["entete"] == "été"
    assert told["fuseau"] == "Europe/Paris"


def test_a_visitor_has_less_time_than_a_pupil(school: School) -> None:
    assert school.get("/rpc/contexte").json["delai"] == "3s"


def test_a_role_that_does_not_exist_is_nobody(school: School) -> None:
    answer = school.as_("directrice").get("/formations")
    assert (answer.status, answer.code) == (401, "22023")


def test_a_role_that_may_not_be_taken_is_refused(school: School) -> None:
    answer = school.as_("postgres").get("/formations")
    assert (answer.status, answer.code) == (403, "42501")


def test_a_statement_that_takes_too_long_is_ended(
    own_database: Database, own_school: School
) -> None:
    shorten = "alter function public.dort() set statement_timeout = '50ms'"
    own_school.until_told(lambda: own_database.run(shorten))
    answer = own_school.post("/rpc/dort")
    assert (answer.status, answer.code) == (500, "57014")


def test_settings_of_a_role_hold_for_its_requests(
    own_database: Database, trainee: str, own_school: School
) -> None:
    told = own_school.as_(trainee).post("/rpc/contexte").json
    assert (told["delai"], told["isolation"]) == ("1234ms", "repeatable read")


def test_a_function_is_asked_before_every_request(
    own_database: Database, own_school: School
) -> None:
    own_school.until_told(lambda: own_database.run(GUARD))
    own_school.until_told(lambda: configure(own_database, "db_pre_request", "public.garde"))
    assert own_school.get("/journal").status == 403
    assert own_school.get("/compteurs").status == 200


def test_the_most_rows_of_an_answer_are_set_in_the_database(
    own_database: Database, own_school: School
) -> None:
    own_school.until_told(lambda: configure(own_database, "db_max_rows", "2"))
    assert len(own_school.get("/eleves?limit=3").json) == 2
    assert len(own_school.get("/professeurs?select=formations!professeur_id(id)").json) == 2
    assert own_school.get("/rpc/pairs?jusque=20").json == [2, 4]


def configure(database: Database, name: str, value: str) -> None:
    """Set what the API is to do, for this database only, and tell it."""
    database.run(
        f"alter role authenticator in database {database.name} set pgrst.{name} = '{value}'"
    )
    database.run("notify pgrst, 'reload config'")
