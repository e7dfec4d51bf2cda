"""Who writes and reads answers, as rows and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.callers import anonymous
from tests.formations import make_palette, start
from tests.migrations.training_onboarding.forms import (
    FORM,
    REQUIRED,
    SAVE,
    SUBMIT,
    SUMMARY,
    hide,
    response,
)

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database

# The tables themselves.


def test_a_person_writes_his_own_draft_and_nothing_else(
    school: Database, member: MakePerson
) -> None:
    client, other = member(), member()
    client.run(
        "insert into public.training_onboarding_responses (user_id, draft_answers) values (%s, %s)",
        [client.id, Jsonb({"motivation": 1})],
    )
    base = client.rpc(FORM)["base_saved_at"]
    client.run(
        "update public.training_onboarding_responses set draft_answers = %s where true",
        [Jsonb({"motivation": 2})],
    )
    assert client.refusal(SAVE, p_answers={}, p_base_saved_at=base).code == "CONFLICT"

    other.run("update public.training_onboarding_responses set draft_answers = '{}' where true")
    assert response(school, client)["draft_answers"] == {"motivation": 2}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.run(
            "insert into public.training_onboarding_responses (user_id) values (%s)", [other.id]
        )


@pytest.mark.parametrize(
    "column",
    [
        "user_id",
        "status",
        "submitted_answers",
        "draft_saved_at",
        "first_submitted_at",
        "last_submitted_at",
    ],
)
@pytest.mark.parametrize("kind", ["client", "owner"])
def test_nobody_writes_by_hand_what_was_submitted(
    member: MakePerson, kind: str, column: str
) -> None:
    somebody = member(kind)
    for query in (
        f"update public.training_onboarding_responses set {column} = {column}",
        "delete from public.training_onboarding_responses where true",
        "update public.training_onboarding_nps set answer = true",
        "delete from public.training_onboarding_nps where true",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            somebody.run(query)


def test_answers_are_for_their_author_his_prof_and_staff(
    school: Database, member: MakePerson
) -> None:
    client, admin, prof = member(), member("admin"), member("prof")
    client.rpc(SUBMIT, p_answers=REQUIRED, p_nps={"answer": True})
    board = start(client, admin, make_palette(school, 1))
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    strangers = (member(), member("prof"), member("admin", status="suspended"))
    for table in ("training_onboarding_responses", "training_onboarding_nps"):
        query = f"select 1 from public.{table} where user_id = %s"
        for reader in (client, admin, member("owner"), prof):
            assert len(reader.run(query, [client.id])) == 1
        for reader in strangers:
            assert reader.run(query, [client.id]) == []
    for reader in strangers:
        assert reader.refusal(SUMMARY, p_user_id=client.id).code == "FORBIDDEN"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(SUMMARY, p_user_id=client.id)
    assert prof.rpc(SUMMARY, p_user_id=client.id)["title"] == "Brief & Profil"


def test_a_prof_reads_answers_while_he_accompanies_and_the_formation_afterwards(
    school: Database, member: MakePerson
) -> None:
    client, admin, prof = member(), member("admin"), member("prof")
    client.rpc(SUBMIT, p_answers=REQUIRED, p_nps={"answer": True})
    board = start(client, admin, make_palette(school, 1))
    admin.rpc("assign_formation_prof", p_formation_id=board.formation_id, p_prof_id=prof.id)
    client.rpc("archive_course", p_course_id=board.course_id)

    for table in ("training_onboarding_responses", "training_onboarding_nps"):
        assert prof.run(f"select 1 from public.{table}") == []
    assert prof.refusal(SUMMARY, p_user_id=client.id).code == "FORBIDDEN"
    assert len(prof.run("select 1 from public.user_formations where ended_at is not null")) == 1
    assert len(prof.run("select 1 from public.user_formation_snapshots")) == 1


# In words.


def test_a_summary_speaks_in_words_to_each_side(school: Database, member: MakePerson) -> None:
    client, admin = member(), member("admin")
    answers = {
        **REQUIRED,
        "echeance_projet": "2027-03-01",
        "besoin_devis": False,
        "formations_suivies": True,
        "craintes": "  ",
    }
    client.rpc(SUBMIT, p_answers=answers, p_nps={"answer": True, "comment": "Merci"})

    mine, brief = client.rpc(SUMMARY), admin.rpc(SUMMARY, p_user_id=client.id)
    assert (mine["title"], mine["is_editable"]) == ("Mes préférences de formation", True)
    assert (brief["title"], brief["is_editable"]) == ("Brief & Profil", False)
    assert brief["sections"] == mine["sections"]
    assert brief["status"] == "submitted"
    assert brief["nps"] == {"answer": True, "comment": "Merci"}
    words = {
        (section["label"], said["question"]): said["answer"]
        for section in brief["sections"]
        for said in section["answers"]
    }
    assert words[("Ton profil et ton activité", "Quel est ton métier ou ton activité ?")] == (
        "Ébéniste à Sète"
    )
    assert words[("Ton profil et ton activité", "Quel est ton statut ?")] == (
        "Indépendant ou indépendante"
    )
    said = list(words.values())
    assert {"Lundi, Jeudi", "3 / 5", "01/03/2027", "Oui", "Non"} <= set(said)
    assert len(said) == len(REQUIRED) + 3


def test_a_summary_shows_what_was_submitted_not_what_is_being_typed(member: MakePerson) -> None:
    client = member()
    assert client.rpc(SUMMARY)["sections"] == []
    client.rpc(SAVE, p_answers={"motivation": 9})
    assert client.rpc(SUMMARY)["sections"] == []
    assert client.rpc(SUMMARY)["status"] == "draft"


def test_a_summary_keeps_what_is_asked_no_longer(database: Database, person: MakePerson) -> None:
    client, admin = person(), person("admin")
    client.rpc(SUBMIT, p_answers=REQUIRED)
    before = client.rpc(SUMMARY)
    hide(admin, database, "option", "cpf", "lundi")
    hide(admin, database, "question", "niveau_general")
    hide(admin, database, "section", "profil_activite")
    assert client.rpc(SUMMARY) == before


def test_a_summary_of_nobody_is_not_found(member: MakePerson) -> None:
    assert member("admin").refusal(SUMMARY, p_user_id=str(uuid4())).code == "NOT_FOUND"
    assert member().refusal(SUMMARY, p_user_id=str(uuid4())).code == "FORBIDDEN"
    assert member(status="suspended").refusal(SUMMARY).code == "FORBIDDEN"
