"""Refusals of what the schema has no answer for, with the names that clients go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local.rest.school.asking import School


def test_an_unknown_table_is_told_with_one_alike(school: School) -> None:
    answer = school.get("/formation")
    assert answer.status == 404
    assert answer.json == {
        "code": "PGRST205",
        "message": "Could not find the table 'public.formation' in the schema cache",
        "details": None,
        "hint": "Perhaps you meant the table 'public.formations'",
    }


def test_nothing_is_told_about_what_is_not_alike(school: School) -> None:
    assert school.get("/xyz").json["hint"] is None


def test_tables_without_a_relationship_are_told_as_such(school: School) -> None:
    answer = school.get("/formations?select=journal(ligne)")
    assert answer.status == 400
    assert answer.json["code"] == "PGRST200"
    assert answer.json["details"] == (
        "Searched for a foreign key relationship between 'formations' and 'journal' "
        "in the schema 'public', but no matches were found."
    )


def test_a_misspelt_embed_is_told_with_the_right_one(school: School) -> None:
    hint = school.get("/formations?select=programme(texte)").json["hint"]
    assert hint == "Perhaps you meant 'programmes' instead of 'programme'."


def test_two_ways_to_embed_are_both_told(school: School) -> None:
    answer = school.get("/formations?select=professeurs(nom)")
    assert (answer.status, answer.code) == (300, "PGRST201")
    assert answer.json["details"] == [
        {
            "cardinality": "many-to-one",
            "embedding": "formations with professeurs",
            "relationship": f"formations_{column}_fkey using "
            f"formations({column}) and professeurs(id)",
        }
        for column in ("professeur_id", "remplacant_id")
    ]
    assert answer.json["hint"] == (
        "Try changing 'professeurs' to one of the following: "
        "'professeurs!formations_professeur_id_fkey', "
        "'professeurs!formations_remplacant_id_fkey'. "
        "Find the desired relationship in the 'details' key."
    )


def test_an_unknown_column_is_refused_by_whoever_knows(school: School) -> None:
    written = school.post("/formations", {"titre": "X", "couleur": "bleu"})
    named = school.post("/formations?columns=couleur", [{"couleur": "bleu"}])
    read = school.get("/formations?couleur=eq.bleu")
    message = "Could not find the 'couleur' column of 'formations' in the schema cache"
    assert (written.status, written.code, written.json["message"]) == (400, "PGRST204", message)
    assert named.code == "PGRST204"
    assert (read.status, read.code) == (400, "42703")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/formations?select=id&salles.nom=eq.x", "PGRST108"),
        ("/formations?select=id&salles.order=nom", "PGRST108"),
        ("/formations?select=id&salles.limit=1", "PGRST108"),
        ("/formations?select=id&order=salles(nom)", "PGRST108"),
        ("/eleves?select=id,formations(id)&order=formations(titre)", "PGRST118"),
        ("/formations?select=id,salles(nom)&salles=eq.1", "PGRST120"),
        ("/eleves?select=...formations(id.count())", "PGRST127"),
        ("/formations?heures=eq.beaucoup", "22P02"),
        ("/formations?niveau=eq.moyen", "22P02"),
        ("/formations?select=titre::nimporte", "42704"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(school: School, target: str, code: str) -> None:
    answer = school.get(target)
    assert (answer.status, answer.code) == (400, code)
    assert answer.json.keys() == {"code", "message", "details", "hint"}


@pytest.mark.parametrize(
    "target",
    [
        "/inscriptions?eleve_id=eq.1",
        "/inscriptions?eleve_id=eq.1&formation_id=gt.1",
        "/inscriptions?eleve_id=eq.1&formation_id=eq.1&le=eq.2026-02-01",
        "/inscriptions?eleve_id=eq.1&formation_id=not.eq.1",
        "/journal?ligne=eq.un",
    ],
)
def test_put_wants_the_whole_key_and_nothing_else(school: School, target: str) -> None:
    answer = school.put(target, {"eleve_id": 1, "formation_id": 1})
    assert (answer.status, answer.code) == (405, "PGRST105")


def test_an_embed_named_by_its_relation_is_understood_with_a_warning(school: School) -> None:
    answer = school.get("/eleves?select=cours:formations(id)&formations.id=eq.1&id=eq.1")
    assert answer.json == [{"cours": [{"id": 1}]}]
    assert "Update `formations` to `cours`" in answer.headers["warning"]


def test_what_the_database_cannot_be_asked_is_refused_before_it_is(school: School) -> None:
    answer = school.get("/formations?titre=eq.a%00b")
    assert answer.status == 400


def test_media_types_that_nobody_makes_are_refused(school: School) -> None:
    answer = school.get("/formations", Accept="image/png")
    assert (answer.status, answer.code) == (406, "PGRST107")


def test_a_relation_tells_its_methods(school: School) -> None:
    allowed = {
        target: school.ask("OPTIONS", target).headers["allow"]
        for target in ("/formations", "/journal", "/vitrine", "/rpc/ajoute", "/rpc/bilan", "/")
    }
    assert allowed == {
        "/formations": "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE",
        "/journal": "OPTIONS,GET,HEAD,POST,PATCH,DELETE",
        "/vitrine": "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE",
        "/rpc/ajoute": "OPTIONS,POST",
        "/rpc/bilan": "OPTIONS,GET,HEAD,POST",
        "/": "OPTIONS,GET,HEAD",
    }


def test_the_description_shows_what_a_role_may_touch(school: School, ada: School) -> None:
    visitor, pupil = (who.get("/").json["paths"] for who in (school, ada))
    assert "/formations" in visitor
    assert visitor.keys() == pupil.keys()
    assert "/presences_2025" not in visitor


def test_aggregates_and_plans_are_off_unless_asked_for(own_school: School) -> None:
    aggregate = own_school.get("/formations?select=heures.sum()")
    plan = own_school.get("/formations", Accept="application/vnd.pgrst.plan+json")
    assert (aggregate.status, aggregate.code) == (400, "PGRST123")
    assert (plan.status, plan.code) == (406, "PGRST107")


def test_a_number_too_large_for_a_path_is_refused_as_a_number(school: School) -> None:
    answer = school.get("/formations?select=details->99999999999")
    assert (answer.status, answer.code) == (400, "22003")
