"""The form as people fill it, and what becomes of it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.callers import Person, Refused
    from tests.databases import Database

FORM = "get_training_onboarding_form"
SAVE = "save_training_onboarding_draft"
SUBMIT = "submit_training_onboarding"
SUMMARY = "get_training_onboarding_summary"
TOGGLE = "set_training_onboarding_active"
EPOCH = "1970-01-01T00:00:00+00:00"
REQUIRED = {
    "metier_activite": "Ébéniste à Sète",
    "statut_professionnel": "independant",
    "objectif_principal": "gagner_temps",
    "projet_concret": "Suivre mes chantiers",
    "niveau_general": 3,
    "niveau_sujet": 1,
    "heures_semaine": "3_4",
    "jours_preferes": ["lundi", "jeudi"],
    "modalite": "mixte",
    "accompagnement": "individuel",
    "equipement": ["mac"],
    "financement": "cpf",
    "points_importants": ["pratique"],
}
JOBS = (
    "select queue_name, args from procrastinate.procrastinate_jobs "
    "where task_name = 'notify-training-onboarding' and args ->> 'user_id' = %s"
)


def ids(database: Database, kind: str, *slugs: str) -> list[str]:
    """Rows of the form by slug; an option is named by its value."""
    column = "value" if kind == "option" else "slug"
    table = f"training_onboarding_{'question_options' if kind == 'option' else f'{kind}s'}"
    query = f"select id::text from public.{table} where {column} = any (%s)"
    return [row[0] for row in database.run(query, [list(slugs)])]


def hide(staff: Person, database: Database, kind: str, *slugs: str) -> None:
    for each in ids(database, kind, *slugs):
        staff.rpc(TOGGLE, p_kind=kind, p_id=each, p_active=False)


def asked(person: Person) -> dict[str, list[str]]:
    """The slugs of the questions on each page."""
    return {
        section["slug"]: [question["slug"] for question in section["questions"]]
        for section in person.rpc(FORM)["sections"]
    }


def question(person: Person, slug: str) -> dict[str, Any]:
    sections = person.rpc(FORM)["sections"]
    return next(each for page in sections for each in page["questions"] if each["slug"] == slug)


def problems(refusal: Refused) -> list[tuple[str, str]]:
    assert (refusal.code, refusal.status) == ("INVALID", 422)
    said = json.loads(refusal.details or "")
    assert said["field"] == "answers"
    assert all(each["message"] for each in said["problems"])
    return [(each["slug"], each["problem"]) for each in said["problems"]]


def response(database: Database, person: Person) -> dict[str, Any]:
    query = "select to_jsonb(r) from public.training_onboarding_responses as r where user_id = %s"
    [(found,)] = database.run(query, [person.id])
    return dict(found)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
