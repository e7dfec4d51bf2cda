"""Everything wrong with a form is said at once, question by question."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.migrations.training_onboarding.forms import (
    JOBS,
    REQUIRED,
    SUBMIT,
    asked,
    hide,
    problems,
    response,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


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
