"""What the form asks, in whole French, and who keeps it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from nlctl import texts
from tests.callers import anonymous
from tests.migrations.training_onboarding.forms import (
    EPOCH,
    FORM,
    REQUIRED,
    SUBMIT,
    TOGGLE,
    asked,
    hide,
    ids,
    question,
)

if TYPE_CHECKING:
    from tests.callers import Person
    from tests.conftest import MakePerson
    from tests.databases import Database


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
POLITE = re.compile(r"\b(vous|votre|vos|veuillez)\b", re.IGNORECASE)


def test_its_french_is_whole_and_says_tu(school: Database) -> None:
    words = [row[0] for row in school.run(WORDS) if row[0]]
    assert len(words) > 200
    assert school.run("show server_encoding") == [("UTF8",)]
    for text in words:
        assert texts.find_misreading(text) is None, text
        assert texts.find_lost_letter(text) is None, text
        assert not re.search(r"\S\?", text), text
        assert BARE.search(text) is None, text
        assert POLITE.search(text) is None, text
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
