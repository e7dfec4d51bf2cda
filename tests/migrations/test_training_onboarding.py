"""The form: what it asks, how answers are kept and examined, and who reads them."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from nlctl import texts
from tests import callers
from tests.callers import Refused, anonymous
from tests.concurrency import at_once, transaction_of
from tests.formations import make_palette, start

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
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


@pytest.fixture(scope="module")
def ada(school: Database) -> Person:
    """A client who never gets anything through: the form refuses all she sends."""
    return callers.sign_up(school, "client")


@pytest.fixture(scope="module")
def ben(school: Database) -> Person:
    """A client who submits again and again."""
    return callers.sign_up(school, "client")


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


# What is asked.


def test_the_form_has_ten_pages_of_real_questions(ada: Person) -> None:
    form = ada.rpc(FORM)
    pages = {page["slug"]: page["questions"] for page in form["sections"]}
    assert list(pages) == [
        "profil_activite",
        "objectifs",
        "niveau",
        "disponibilites",
        "format",
        "outils",
        "accessibilite",
        "budget",
        "attentes",
        "avis",
    ]
    questions = [each for page in pages.values() for each in page]
    assert len(questions) >= 40
    assert {each["type"] for each in questions} == {
        "text", "long_text", "single_choice", "multiple_choice", "scale", "yes_no", "date",
    }  # fmt: skip
    for each in questions:
        assert (len(each["options"]) >= 2) == each["type"].endswith("_choice"), each["slug"]
        assert (each["scale_max"] is not None) == (each["type"] == "scale"), each["slug"]
    assert {each["slug"] for each in questions if each["required"]} == set(REQUIRED)
    assert "aucune donnée sensible" in form["notice"]


def test_a_blank_form_says_so(ada: Person) -> None:
    form = ada.rpc(FORM)
    total = sum(len(page["questions"]) for page in form["sections"])
    assert (form["status"], form["draft_answers"]) == ("draft", {})
    assert (form["saved_at"], form["base_saved_at"]) == (None, EPOCH)
    assert (form["first_submitted_at"], form["last_submitted_at"]) == (None, None)
    assert form["progress"] == {
        "total": total,
        "answered": 0,
        "required": len(REQUIRED),
        "required_answered": 0,
    }


WORDS = """
select label from public.training_onboarding_sections
union all select help from public.training_onboarding_sections
union all select label from public.training_onboarding_questions
union all select help from public.training_onboarding_questions
union all select label from public.training_onboarding_question_options
union all select content from public.training_onboarding_texts
union all select label from public.modules_registry
union all select description from public.modules_registry
union all select label from public.admin_modules_registry
union all select description from public.admin_modules_registry
"""
# Words that only a damaged text writes without their accents.
BARE = re.compile(
    r"\b(metiers?|activites?|competences?|deja|tres|apres|prefere\w*|reponses?|durees?|seances?"
    r"|delais?|experiences?|amenagements?|disponibilites?|sante|resultats? esperes?|methodes?"
    r"|reguli\w+|ecoute\w*|equipes?|equipements?|evenements?|ecrans?|etudiant\w*|etre|echeances?"
    r"|difficultes?|necessaires?|numeriques?|periodes?|telephone|videos?|a distance|creation"
    r"|independant\w*|salarie\w*|connait|reseaux?|medias?|accessibilite|presentation d activite)\b",
    re.IGNORECASE,
)


def test_its_french_is_whole(school: Database) -> None:
    words = [row[0] for row in school.run(WORDS) if row[0]]
    assert len(words) > 200
    assert school.run("show server_encoding") == [("UTF8",)]
    for text in words:
        assert texts.find_misreading(text) is None, text
        assert texts.find_lost_letter(text) is None, text
        assert not re.search(r"\S\?", text), text
        assert BARE.search(text) is None, text
        assert unicodedata.is_normalized("NFC", text), text
    assert set("éèêàâçîôùÉÀ") - set("".join(words)) <= set("îôâù")


@pytest.mark.parametrize(
    ("damaged", "whole"),
    [
        ("Ton m?tier", "Quel est ton métier ?"),
        ("?tat", "État"),
        ("MÃ©tier", "Métier"),
        ("Tes disponibilit\ufffds", "Tes disponibilités"),
        ("Ton metier", "Événementiel"),
    ],
)
def test_a_damaged_text_would_be_found(damaged: str, whole: str) -> None:
    def is_damaged(text: str) -> bool:
        finds = (texts.find_misreading, texts.find_lost_letter, BARE.search)
        return any(find(text) for find in finds)

    assert is_damaged(damaged)
    assert not is_damaged(whole)


@pytest.mark.parametrize(
    ("kind", "component", "permission"),
    [
        ("client", "client_training_preferences", "onboarding.fill"),
        ("owner", "admin_onboarding_form", "onboarding.manage"),
        ("admin", "admin_onboarding_form", "onboarding.manage"),
    ],
)
def test_both_sides_have_their_module_and_their_permission(
    member: MakePerson, kind: str, component: str, permission: str
) -> None:
    context = member(kind).rpc("get_session_context")
    assert component in [module["component_key"] for module in context["modules"]]
    assert context["permissions"][permission] is True


@pytest.mark.parametrize("kind", ["owner", "admin", "prof", "client"])
def test_everybody_signed_in_reads_the_form(
    school: Database, member: MakePerson, kind: str
) -> None:
    assert len(member(kind).rpc(FORM)["sections"]) == 10
    assert member(kind, status="suspended").refusal(FORM).code == "FORBIDDEN"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(FORM)


def test_what_is_hidden_is_not_asked(database: Database, person: MakePerson) -> None:
    prof, client = person("prof"), person()
    before = asked(client)
    hide(prof, database, "section", "budget")
    hide(prof, database, "question", "statut_professionnel", *before["niveau"])
    hide(prof, database, "option", "samedi")

    after = asked(client)
    assert list(after) == [page for page in before if page not in {"budget", "niveau"}]
    assert "statut_professionnel" not in after["profil_activite"]
    days = [option["value"] for option in question(client, "jours_preferes")["options"]]
    assert days == ["lundi", "mardi", "mercredi", "jeudi", "vendredi"]

    [section] = ids(database, "section", "budget")
    prof.rpc(TOGGLE, p_kind="section", p_id=section, p_active=True)
    assert asked(client)["budget"] == before["budget"]


def test_a_choice_of_nothing_is_not_asked(database: Database, person: MakePerson) -> None:
    admin, client = person("admin"), person()
    options = [option["value"] for option in question(client, "modalite")["options"]]
    hide(admin, database, "option", *options)
    assert "modalite" not in asked(client)["format"]
    answers = {key: value for key, value in REQUIRED.items() if key != "modalite"}
    assert client.rpc(SUBMIT, p_answers=answers)["status"] == "submitted"


# The draft.


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


# Submitting.


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


def test_an_empty_form_lists_all_that_is_missing_in_its_order(ada: Person) -> None:
    order = [slug for page in asked(ada).values() for slug in page if slug in REQUIRED]
    refusal = ada.refusal(SUBMIT, p_answers={})
    assert problems(refusal) == [(slug, "required") for slug in order]


def test_everything_wrong_is_said_at_once(school: Database, ada: Person) -> None:
    answers = {
        **REQUIRED,
        "metier_activite": "   ",
        "statut_professionnel": "roi",
        "echeance_projet": "bientôt",
        "niveau_general": 6,
        "niveau_sujet": "3",
        "presentation_activite": "x" * 5001,
    }
    assert problems(ada.refusal(SUBMIT, p_answers=answers, p_nps={"answer": "oui"})) == [
        ("metier_activite", "required"),
        ("statut_professionnel", "option"),
        ("presentation_activite", "length"),
        ("echeance_projet", "date"),
        ("niveau_general", "range"),
        ("niveau_sujet", "type"),
        ("nps", "type"),
    ]
    assert school.run(JOBS, [ada.id]) == []
    assert ada.run("select profession from public.profiles") == [{"profession": None}]


@pytest.mark.parametrize(
    ("slug", "answer", "problem"),
    [
        ("metier_activite", 3, "type"),
        ("metier_activite", ["Potière"], "type"),
        ("metier_activite", {}, "type"),
        ("metier_activite", "", "required"),
        ("metier_activite", "x" * 501, "length"),
        ("projet_concret", True, "type"),
        ("projet_concret", "x" * 5001, "length"),
        ("statut_professionnel", "autre_chose", "option"),
        ("statut_professionnel", "lundi", "option"),
        ("statut_professionnel", "Salarie", "option"),
        ("statut_professionnel", ["salarie"], "type"),
        ("statut_professionnel", 1, "type"),
        ("jours_preferes", "lundi", "type"),
        ("jours_preferes", {"lundi": True}, "type"),
        ("jours_preferes", [], "required"),
        ("jours_preferes", ["lundi", "dimanche"], "option"),
        ("jours_preferes", ["lundi", "lundi"], "option"),
        ("jours_preferes", [["lundi"]], "option"),
        ("jours_preferes", [None], "option"),
        ("jours_preferes", [1], "option"),
        ("niveau_general", 0, "range"),
        ("niveau_general", 6, "range"),
        ("niveau_general", -1, "range"),
        ("niveau_general", 999_999_999, "range"),
        ("niveau_general", 10**30, "type"),
        ("niveau_general", 2.5, "type"),
        ("niveau_general", "3", "type"),
        ("niveau_general", True, "type"),
        ("besoin_devis", "oui", "type"),
        ("besoin_devis", 1, "type"),
        ("date_debut", "2026-02-30", "date"),
        ("date_debut", "2026-13-01", "date"),
        ("date_debut", "0000-01-01", "date"),
        ("date_debut", "04/01/2027", "date"),
        ("date_debut", "2027-1-4", "date"),
        ("date_debut", "2027-01-04T00:00", "date"),
        ("date_debut", "2027-01-04\n", "date"),
        ("date_debut", "٢٠٢٧-٠١-٠٤", "date"),
        ("date_debut", "tomorrow", "date"),
        ("date_debut", 20270104, "date"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_name(
    ada: Person, slug: str, answer: Any, problem: str
) -> None:
    refusal = ada.refusal(SUBMIT, p_answers={**REQUIRED, slug: answer})
    assert problems(refusal) == [(slug, problem)]


@pytest.mark.parametrize(
    ("slug", "answer"),
    [
        ("metier_activite", "é" * 500),
        ("projet_concret", "é" * 5000),
        ("jours_preferes", ["samedi"]),
        ("niveau_general", 1),
        ("niveau_general", 5),
        ("motivation", 10),
        ("besoin_devis", False),
        ("date_debut", "2028-02-29"),
        ("supports_preferes", []),
        ("secteur_activite", None),
        ("craintes", ""),
    ],
)
def test_an_answer_at_the_edge_is_taken(
    school: Database, ben: Person, slug: str, answer: Any
) -> None:
    ben.rpc(SUBMIT, p_answers={**REQUIRED, slug: answer})
    kept = response(school, ben)["submitted_answers"]
    assert kept.get(slug) == answer


def test_a_hidden_option_is_no_answer_any_more(database: Database, person: MakePerson) -> None:
    client = person()
    hide(person("admin"), database, "option", "cpf")
    hide(person("admin"), database, "question", "niveau_sujet")
    refusal = client.refusal(SUBMIT, p_answers=REQUIRED)
    assert problems(refusal) == [("financement", "option")]
    told = client.rpc(SUBMIT, p_answers={**REQUIRED, "financement": "opco"})
    assert told["dropped"] == ["niveau_sujet"]
    assert "niveau_sujet" not in response(database, client)["submitted_answers"]


@pytest.mark.parametrize(
    "nps",
    [
        [],
        "oui",
        True,
        9,
        {"answer": "oui"},
        {"answer": 1},
        {"answer": [True]},
        {"answer": True, "comment": 3},
        {"answer": True, "comment": {}},
        {"answer": True, "comment": "x" * 2001},
    ],
)
def test_an_nps_that_cannot_be_is_refused(ada: Person, nps: Any) -> None:
    refusal = ada.refusal(SUBMIT, p_answers=REQUIRED, p_nps=json.dumps(nps))
    assert problems(refusal) == [("nps", "type")]


@pytest.mark.parametrize(
    ("nps", "kept"),
    [
        (None, []),
        ({}, [(None, None)]),
        ({"answer": None, "comment": "  "}, [(None, None)]),
        ({"answer": False, "comment": "é" * 2000, "autre": 1}, [(False, "é" * 2000)]),
    ],
)
def test_an_nps_is_what_was_said(
    school: Database, member: MakePerson, nps: Any, kept: list[Any]
) -> None:
    client = member()
    client.rpc(SUBMIT, p_answers=REQUIRED, p_nps=json.dumps(nps))
    query = "select answer, comment from public.training_onboarding_nps where user_id = %s"
    assert school.run(query, [client.id]) == kept


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


def test_submissions_at_once_are_one_response(school: Database, member: MakePerson) -> None:
    client = member()
    told = at_once(*[partial(client.rpc, SUBMIT, p_answers=REQUIRED)] * 6)
    kept = response(school, client)
    assert {each["first_submitted_at"] for each in told} == {kept["first_submitted_at"]}
    dates = [moment(each["last_submitted_at"]) for each in told]
    assert max(dates) == moment(kept["last_submitted_at"])
    assert min(dates) == moment(kept["first_submitted_at"])
    jobs = [args["is_first"] for _, args in school.run(JOBS, [client.id])]
    assert sorted(jobs) == [False] * 5 + [True]


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


# Staff keep the form.


@pytest.mark.parametrize("kind", ["owner", "admin", "prof"])
@pytest.mark.parametrize(
    ("what", "slug", "page"),
    [
        ("section", "outils", "outils"),
        ("question", "besoin_devis", "budget"),
        ("option", "petit_groupe", "format"),
    ],
)
def test_staff_and_profs_hide_and_show(
    school: Database, member: MakePerson, kind: str, what: str, slug: str, page: str
) -> None:
    keeper, [row] = member(kind), ids(school, what, slug)
    before = keeper.rpc(FORM)["sections"]
    keeper.rpc(TOGGLE, p_kind=what, p_id=row, p_active=False)
    assert keeper.rpc(FORM)["sections"] != before
    keeper.rpc(TOGGLE, p_kind=what, p_id=row, p_active=True)
    assert keeper.rpc(FORM)["sections"] == before
    assert page in [section["slug"] for section in before]


def test_nobody_else_does(school: Database, member: MakePerson) -> None:
    [section] = ids(school, "section", "outils")
    for somebody in (member(), member("admin", status="suspended")):
        refusal = somebody.refusal(TOGGLE, p_kind="section", p_id=section, p_active=False)
        assert refusal.code == "FORBIDDEN"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        anonymous(school).rpc(TOGGLE, p_kind="section", p_id=section, p_active=False)
    assert "outils" in asked(member())


def test_a_toggle_of_nothing_is_refused(school: Database, member: MakePerson) -> None:
    admin, [section] = member("admin"), ids(school, "section", "outils")
    for kind, row, active, code, details in [
        ("page", section, True, "INVALID", "kind"),
        ("", section, True, "INVALID", "kind"),
        (None, section, True, "INVALID", "kind"),
        ("section", section, None, "INVALID", "active"),
        ("section", None, True, "NOT_FOUND", None),
        ("section", str(uuid4()), True, "NOT_FOUND", None),
        ("question", section, True, "NOT_FOUND", None),
    ]:
        refusal = admin.refusal(TOGGLE, p_kind=kind, p_id=row, p_active=active)
        assert (refusal.code, refusal.details) == (code, details)


def test_staff_and_profs_word_the_form_and_clients_read_it(
    database: Database, person: MakePerson
) -> None:
    client = person()
    client.run("update public.training_onboarding_questions set label = 'Piraté' where true")
    person("prof").run(
        "update public.training_onboarding_questions set label = 'Ton métier ?' "
        "where slug = 'metier_activite'"
    )
    labels = {each["label"] for page in client.rpc(FORM)["sections"] for each in page["questions"]}
    assert "Ton métier ?" in labels
    assert "Piraté" not in labels
