"""A draft grows as somebody types, in one tab at a time."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.callers import Refused, anonymous
from tests.concurrency import at_once
from tests.migrations.training_onboarding.forms import (
    FORM,
    REQUIRED,
    SAVE,
    SUBMIT,
    hide,
    moment,
    response,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


def test_a_draft_grows_answer_by_answer(school: Database, member: MakePerson) -> None:
    client = member()
    first = client.rpc(SAVE, p_answers={"metier_activite": "Potière", "niveau_general": 2})
    second = client.rpc(
        SAVE,
        p_answers={"niveau_general": 4, "modalite": "mixte", "craintes": ""},
        p_base_saved_at=first["saved_at"],
    )
    third = client.rpc(
        SAVE, p_answers={"metier_activite": None}, p_base_saved_at=second["saved_at"]
    )

    assert first["dropped"] == []
    assert third["draft_answers"] == {"niveau_general": 4, "modalite": "mixte", "craintes": ""}
    assert third["progress"]["answered"] == third["progress"]["required_answered"] == 2
    assert moment(first["saved_at"]) < moment(second["saved_at"]) < moment(third["saved_at"])
    form = client.rpc(FORM)
    assert form["draft_answers"] == third["draft_answers"]
    assert form["saved_at"] == form["base_saved_at"] == third["saved_at"]
    assert form["progress"] == third["progress"]
    assert response(school, client)["status"] == "draft"


def test_what_is_not_asked_is_dropped_and_reported(database: Database, person: MakePerson) -> None:
    client = person()
    client.rpc(SAVE, p_answers={"craintes": "Le temps", "besoin_devis": True})
    hide(person("admin"), database, "question", "craintes")
    hide(person("admin"), database, "section", "budget")
    answers = {"craintes": "X", "budget_fourchette": "a_definir", "inconnu": 1, "motivation": 7}
    saved = client.rpc(SAVE, p_answers=answers)
    assert saved["dropped"] == ["budget_fourchette", "craintes", "inconnu"]
    assert saved["draft_answers"] == {"motivation": 7}
    kept = response(database, client)["draft_answers"]
    assert kept == {"craintes": "Le temps", "besoin_devis": True, "motivation": 7}


LONG = "é" * 99_000


@pytest.mark.parametrize("function", [SAVE, SUBMIT])
@pytest.mark.parametrize("odd", [None, [], [{}], "x", 3, True, {"craintes": LONG + LONG}])
def test_answers_come_by_question_and_within_reason(
    school: Database, ada: Person, function: str, odd: Any
) -> None:
    refusal = ada.refusal(function, p_answers=json.dumps(odd))
    assert (refusal.code, refusal.details) == ("INVALID", "answers")
    query = "select 1 from public.training_onboarding_responses where user_id = %s"
    assert school.run(query, [ada.id]) == []


def test_a_draft_does_not_grow_without_end(member: MakePerson) -> None:
    client = member()
    kept = client.rpc(SAVE, p_answers={"craintes": "x" * 60_000})
    refusal = client.refusal(SAVE, p_answers={"projet_concret": "x" * 60_000})
    assert (refusal.code, refusal.details) == ("INVALID", "answers")
    assert client.rpc(FORM)["draft_answers"] == kept["draft_answers"]


def test_an_older_tab_is_refused_until_it_reads_again(member: MakePerson) -> None:
    client = member()
    older = client.rpc(SAVE, p_answers={"motivation": 1})["saved_at"]
    newer = client.rpc(SAVE, p_answers={"motivation": 2}, p_base_saved_at=older)["saved_at"]

    refusal = client.refusal(SAVE, p_answers={"motivation": 9}, p_base_saved_at=older)
    assert (refusal.code, refusal.status) == ("CONFLICT", 409)
    assert json.loads(refusal.details or "") == {"saved_at": newer}
    base = client.rpc(FORM)["base_saved_at"]
    saved = client.rpc(SAVE, p_answers={"motivation": 9}, p_base_saved_at=base)
    assert saved["draft_answers"] == {"motivation": 9}


def test_a_tab_that_was_blank_is_older_too(member: MakePerson) -> None:
    client = member()
    blank = client.rpc(FORM)["base_saved_at"]
    client.rpc(SAVE, p_answers={"motivation": 1}, p_base_saved_at=blank)
    refusal = client.refusal(SAVE, p_answers={"motivation": 2}, p_base_saved_at=blank)
    assert refusal.code == "CONFLICT"


def test_a_tab_may_decide_not_to_look(member: MakePerson) -> None:
    client = member()
    client.rpc(SAVE, p_answers={"motivation": 1})
    assert client.rpc(SAVE, p_answers={"niveau_sujet": 2})["draft_answers"] == {
        "motivation": 1,
        "niveau_sujet": 2,
    }


@pytest.mark.parametrize("is_blank", [True, False])
def test_of_tabs_that_save_at_once_one_is_kept(
    school: Database, member: MakePerson, is_blank: bool
) -> None:
    client = member()
    if not is_blank:
        client.rpc(SAVE, p_answers={"craintes": "Aucune"})
    base = client.rpc(FORM)["base_saved_at"]
    outcomes = at_once(
        *[
            partial(client.rpc, SAVE, p_answers={"motivation": tab}, p_base_saved_at=base)
            for tab in range(8)
        ]
    )
    refusals = [each for each in outcomes if isinstance(each, Refused)]
    assert [refusal.code for refusal in refusals] == ["CONFLICT"] * 7
    [kept] = [each for each in outcomes if not isinstance(each, Refused)]
    assert response(school, client)["draft_answers"] == kept["draft_answers"]


def test_a_moment_survives_a_frontend_that_counts_in_milliseconds(member: MakePerson) -> None:
    client = member()
    saved_at = moment(client.rpc(SAVE, p_answers={"motivation": 1})["saved_at"])
    assert saved_at.microsecond % 1000 == 0
    told = saved_at.isoformat(timespec="milliseconds")
    assert client.rpc(SAVE, p_answers={"motivation": 2}, p_base_saved_at=told)["dropped"] == []
    early = (saved_at - timedelta(milliseconds=1)).isoformat()
    assert client.refusal(SAVE, p_answers={}, p_base_saved_at=early).code == "CONFLICT"


def test_saving_the_same_again_makes_no_tab_older(member: MakePerson) -> None:
    client = member()
    first = client.rpc(SAVE, p_answers={"motivation": 1})
    again = client.rpc(SAVE, p_answers={"motivation": 1}, p_base_saved_at=first["saved_at"])
    assert again["saved_at"] == first["saved_at"]


def test_the_suspended_and_visitors_keep_no_draft(school: Database, member: MakePerson) -> None:
    for function in (SAVE, SUBMIT):
        suspended = member(status="suspended")
        assert suspended.refusal(function, p_answers=REQUIRED).code == "FORBIDDEN"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            anonymous(school).rpc(function, p_answers=REQUIRED)
