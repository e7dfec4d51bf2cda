"""What is submitted is kept whole, dated and told to staff, or not at all."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.concurrency import (
    at_once,
    in_background,
    transaction_of,
    wait_until_somebody_waits,
)
from tests.migrations.training_onboarding.forms import (
    FORM,
    JOBS,
    REQUIRED,
    SAVE,
    SUBMIT,
    SUMMARY,
    hide,
    moment,
    response,
)

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database

GO = "delete from auth.users where id = %s"


def test_a_submission_keeps_everything_at_once(school: Database, member: MakePerson) -> None:
    client = member()
    client.rpc(SAVE, p_answers={"motivation": 9, "modalite": "distance"})
    answers = {**REQUIRED, "date_debut": "2027-01-04", "craintes": None, "inconnu": 1}
    nps = {"answer": True, "comment": "  Clair et court. "}
    told = client.rpc(SUBMIT, p_answers=answers, p_nps=nps)

    kept = response(school, client)
    assert kept["submitted_answers"] == {**REQUIRED, "date_debut": "2027-01-04"}
    assert kept["draft_answers"] == kept["submitted_answers"]
    assert kept["status"] == told["status"] == "submitted"
    assert kept["first_submitted_at"] == kept["last_submitted_at"] == told["last_submitted_at"]
    assert told["dropped"] == ["inconnu"]
    assert client.run("select profession from public.profiles") == [
        {"profession": "Ébéniste à Sète"}
    ]
    assert client.run("select answer, comment from public.training_onboarding_nps") == [
        {"answer": True, "comment": "Clair et court."}
    ]
    assert school.run(JOBS, [client.id]) == [
        (
            "mail",
            {
                "response_id": kept["id"],
                "user_id": client.id,
                "submitted_at": kept["last_submitted_at"],
                "is_first": True,
            },
        )
    ]
    form = client.rpc(FORM)
    assert (form["status"], form["saved_at"]) == ("submitted", told["saved_at"])
    assert form["progress"]["required_answered"] == form["progress"]["required"]


def test_a_second_submission_keeps_the_first_date(school: Database, member: MakePerson) -> None:
    client = member()
    first = client.rpc(SUBMIT, p_answers=REQUIRED, p_nps={"answer": False, "comment": "Long"})
    second = client.rpc(SUBMIT, p_answers={**REQUIRED, "metier_activite": "Luthière"})
    assert second["first_submitted_at"] == first["first_submitted_at"]
    assert moment(second["last_submitted_at"]) > moment(first["last_submitted_at"])
    assert client.rpc(SUMMARY)["nps"] == {"answer": False, "comment": "Long"}
    client.rpc(SUBMIT, p_answers=REQUIRED, p_nps={"answer": True})
    assert client.rpc(SUMMARY)["nps"] == {"answer": True, "comment": None}
    assert [args["is_first"] for _, args in school.run(JOBS, [client.id])] == [True, False, False]


def test_a_draft_after_a_submission_changes_nothing_that_was_submitted(
    school: Database, member: MakePerson
) -> None:
    client = member()
    told = client.rpc(SUBMIT, p_answers=REQUIRED)
    client.rpc(SAVE, p_answers={"motivation": 2}, p_base_saved_at=told["saved_at"])
    kept = response(school, client)
    assert kept["submitted_answers"] == REQUIRED
    assert kept["draft_answers"] == {**REQUIRED, "motivation": 2}
    assert kept["status"] == "submitted"


def test_a_profession_is_left_alone_when_it_is_not_asked(
    database: Database, person: MakePerson
) -> None:
    client = person()
    client.run("update public.profiles set profession = 'Poète' where true")
    hide(person("admin"), database, "question", "metier_activite")
    client.rpc(SUBMIT, p_answers=REQUIRED)
    assert client.run("select profession from public.profiles") == [{"profession": "Poète"}]


def test_a_submission_that_is_undone_notifies_nobody(school: Database, member: MakePerson) -> None:
    client = member()
    with transaction_of(client) as connection:
        connection.execute(f"select public.{SUBMIT}(%s)".encode(), [Jsonb(REQUIRED)])
        connection.rollback()
    assert school.run(JOBS, [client.id]) == []
    assert client.rpc(FORM)["status"] == "draft"


def test_a_submission_that_cannot_notify_does_nothing(
    database: Database, person: MakePerson
) -> None:
    client = person()
    database.run(
        "alter table procrastinate.procrastinate_jobs "
        "add constraint full_up check (task_name <> 'notify-training-onboarding')"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        client.rpc(SUBMIT, p_answers=REQUIRED, p_nps={"answer": True})
    assert database.run("select 1 from public.training_onboarding_responses") == []
    assert database.run("select 1 from public.training_onboarding_nps") == []
    assert client.run("select profession from public.profiles") == [{"profession": None}]


def test_a_double_click_is_one_response_and_one_notification(
    school: Database, member: MakePerson
) -> None:
    client = member()
    submit = partial(client.rpc, SUBMIT, p_answers=REQUIRED, p_nps={"answer": True})
    told = at_once(*[submit] * 6)
    kept = response(school, client)
    assert {each["first_submitted_at"] for each in told} == {kept["first_submitted_at"]}
    dates = [moment(each["last_submitted_at"]) for each in told]
    assert max(dates) == moment(kept["last_submitted_at"])
    assert min(dates) == moment(kept["first_submitted_at"])
    assert [args["is_first"] for _, args in school.run(JOBS, [client.id])] == [True]


def test_of_different_submissions_at_once_each_is_notified(
    school: Database, member: MakePerson
) -> None:
    client = member()
    at_once(
        *[partial(client.rpc, SUBMIT, p_answers={**REQUIRED, "motivation": n}) for n in range(1, 7)]
    )
    jobs = [args["is_first"] for _, args in school.run(JOBS, [client.id])]
    assert sorted(jobs) == [False] * 5 + [True]


def test_another_nps_alone_is_news(school: Database, member: MakePerson) -> None:
    client = member()
    for nps in ({"answer": True}, {"answer": True, "comment": "  "}, None, {"answer": False}):
        client.rpc(SUBMIT, p_answers=REQUIRED, p_nps=nps)
    assert len(school.run(JOBS, [client.id])) == 2


@pytest.mark.parametrize("function", [SAVE, SUBMIT])
def test_an_account_goes_after_what_it_answered_before(
    school: Database, member: MakePerson, function: str
) -> None:
    client = member()
    client.rpc(SAVE, p_answers=REQUIRED)
    act = partial(client.rpc, function, p_answers=REQUIRED)
    go = partial(school.run, GO, [client.id], user="supabase_auth_admin")
    with school.connect(autocommit=False) as holder:
        holder.execute(
            "select from public.training_onboarding_responses where user_id = %s for update",
            [client.id],
        )
        with in_background(act) as answer:
            wait_until_somebody_waits(school)
            with in_background(go) as gone:
                wait_until_somebody_waits(school, 2)
                holder.commit()
                gone.result()
                assert answer.result()["dropped"] == []
    left = "select 1 from public.training_onboarding_responses where user_id = %s"
    assert school.run(left, [client.id]) == []


@pytest.mark.parametrize("function", [SAVE, SUBMIT])
def test_an_account_that_goes_meanwhile_answers_nothing(
    school: Database, member: MakePerson, function: str
) -> None:
    client = member()
    client.rpc(SAVE, p_answers=REQUIRED)
    with school.connect("supabase_auth_admin", autocommit=False) as going:
        going.execute(GO.encode(), [client.id])
        with in_background(partial(client.refusal, function, p_answers=REQUIRED)) as refusal:
            wait_until_somebody_waits(school)
            going.commit()
            assert refusal.result().code == "NOT_AUTHENTICATED"
