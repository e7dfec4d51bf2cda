"""Calling: arguments of every kind in, results of every kind out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.local.rest.school.asking import School


@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("/rpc/bonjour?prenom=Ada", "Bonjour Ada"),
        ("/rpc/bonjour?prenom=Ada&mot=Salut", "Salut Ada"),
        ("/rpc/bonjour?prenom=Ada&prenom=Ben", "Bonjour Ben"),
        ("/rpc/somme?nombres=1&nombres=2", 3),
        ("/rpc/double?n=4", 8),
        ("/rpc/double?mot=ha", "haha"),
        ("/rpc/pairs?jusque=6", [2, 4, 6]),
        ("/rpc/pairs?jusque=8&limit=2&offset=1", [4, 6]),
        ("/rpc/bilan", [{"mot": "formations", "combien": 4}]),
        ("/rpc/premiere?select=titre", {"titre": "Physique"}),
        ("/rpc/formations_de?prof=Curie&select=titre&titre=like.C*", [{"titre": "Chimie"}]),
        (
            "/rpc/formations_de?prof=Hugo&select=titre,salles(nom)",
            [{"titre": "Poésie, prose", "salles": {"nom": "fond"}}],
        ),
    ],
)
def test_a_function_is_called_by_its_address(school: School, target: str, result: Any) -> None:
    assert school.get(target).json == result


def test_a_function_is_called_with_an_object(school: School) -> None:
    answer = school.post("/rpc/bonjour", {"prenom": "Ada", "mot": "Salut"})
    assert answer.json == "Salut Ada"


def test_a_variadic_parameter_takes_a_list(school: School) -> None:
    assert school.post("/rpc/somme", {"nombres": [1, 2, 3]}).json == 6


def test_a_form_names_its_arguments(school: School) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert school.post("/rpc/bonjour", "prenom=Ada&mot=Hé", **form).json == "Hé Ada"


def test_a_single_unnamed_parameter_takes_the_whole_body(school: School) -> None:
    body = {"a": [1, None]}
    assert school.post("/rpc/recopie", body).json == body
    assert school.post("/rpc/longueur", "été", Content_Type="text/plain").json == 3
    octets = {"Content-Type": "application/octet-stream"}
    assert school.post("/rpc/poids", b"\x00\xff\x10", **octets).json == 3


def test_nothing_is_answered_with_nothing(school: School) -> None:
    answer = school.post("/rpc/rien")
    assert (answer.status, answer.body) == (204, b"")


def test_a_total_is_counted_of_a_function_too(school: School) -> None:
    answer = school.get("/rpc/pairs?jusque=20&limit=3", Prefer="count=exact")
    assert (answer.status, answer.headers["content-range"]) == (206, "0-2/10")


def test_one_row_of_a_function_can_be_asked_for(school: School) -> None:
    single = "application/vnd.pgrst.object+json"
    one = school.get("/rpc/formations_de?prof=Hugo&select=id", Accept=single)
    two = school.get("/rpc/formations_de?prof=Curie", Accept=single)
    assert one.json == {"id": 3}
    assert two.code == "PGRST116"


def test_get_may_not_write(school: School) -> None:
    answer = school.get("/rpc/ajoute?compteur=a")
    assert (answer.status, answer.code) == (405, "25006")


def test_a_stable_function_may_not_write_either(school: School) -> None:
    answer = school.post("/rpc/ajoute_en_cachette", {"compteur": "a"})
    assert answer.json["message"] == "UPDATE is not allowed in a non-volatile function"
    assert school.get("/compteurs?nom=eq.a").json == [{"nom": "a", "valeur": 1}]


def test_a_volatile_function_writes(school: School) -> None:
    assert school.post("/rpc/ajoute", {"compteur": "a"}).json == 2


def test_what_a_function_raises_decides_the_answer_and_leaves_nothing(own_school: School) -> None:
    answer = own_school.post("/rpc/refuse")
    assert answer.status == 409
    assert answer.json == {
        "code": "PT409", "message": "Non.", "details": None, "hint": "Essaie demain.",
    }  # fmt: skip
    assert own_school.get("/journal?ligne=eq.commencé").json == []


def test_what_a_function_sets_for_its_session_is_forgotten(school: School) -> None:
    marked = school.post("/rpc/laisse_trainer")
    after = school.get("/journal")
    assert (marked.status, marked.headers["x-traine"]) == (418, "oui")
    assert (after.status, after.headers.get("x-traine")) == (200, None)


def test_isolation_and_timeout_of_a_function_hold_for_its_transaction(school: School) -> None:
    told = school.post("/rpc/contexte_serieux").json
    assert (told["isolation"], told["delai"]) == ("serializable", "7s")


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        ({"prenoms": "Ada"}, "PGRST202", "Perhaps you meant to call the function public.bonjour("),
        ({"prenom": "Ada", "autre": 1}, "PGRST202", "Perhaps you meant to call the function"),
        ({}, "PGRST202", ""),
    ],
)
def test_arguments_that_fit_no_function_are_told(
    school: School, body: dict[str, Any], code: str, hint: str
) -> None:
    answer = school.post("/rpc/bonjour", body)
    assert (answer.status, answer.code) == (404, code)
    assert (answer.json["hint"] or "").startswith(hint)


def test_a_function_that_does_not_exist_is_told_with_one_alike(school: School) -> None:
    answer = school.post("/rpc/bonjours", {})
    assert answer.json["hint"] == "Perhaps you meant to call the function public.bonjour"
    assert answer.json["details"] == (
        "Searched for the function public.bonjours without parameters or with a single unnamed "
        "json/jsonb parameter, but no matches were found in the schema cache."
    )


def test_two_functions_with_the_same_names_cannot_be_told_apart(school: School) -> None:
    answer = school.get("/rpc/sosie?n=1")
    assert (answer.status, answer.code) == (300, "PGRST203")
    assert "public.sosie(n => integer), public.sosie(n => text)" in answer.json["message"]


def test_a_limit_of_changes_needs_a_function_of_many_rows(school: School) -> None:
    answer = school.post("/rpc/ajoute", {"compteur": "a"}, Prefer="handling=strict, max-affected=1")
    assert answer.code == "PGRST128"
