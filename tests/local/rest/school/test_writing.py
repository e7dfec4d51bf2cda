"""Writing: rows in, rows changed, rows gone, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local.rest.school.asking import School

SHOW = "return=representation"


def test_a_new_course_is_shown_with_its_teacher(school: School) -> None:
    answer = school.post(
        "/formations?select=titre,niveau,professeurs!professeur_id(nom)",
        {"titre": "Histoire", "professeur_id": 2},
        Prefer=SHOW,
    )
    assert answer.status == 201
    assert answer.json == [
        {"titre": "Histoire", "niveau": "débutant", "professeurs": {"nom": "Hugo"}}
    ]


def test_many_courses_go_in_at_once(school: School) -> None:
    answer = school.post(
        "/formations?select=titre,heures&order=titre",
        [{"titre": "A", "heures": 1}, {"titre": "B", "heures": None}],
        Prefer=SHOW,
    )
    assert answer.json == [{"titre": "A", "heures": 1}, {"titre": "B", "heures": None}]


def test_columns_left_out_are_null_or_their_default(school: School) -> None:
    target = "/formations?select=niveau&columns=titre,niveau,heures,cree_le"
    rows = [{"titre": "A", "autre": 1}]
    filled = school.post(target, rows, Prefer=f"{SHOW}, missing=default")
    empty = school.post(target, rows, Prefer=SHOW)
    assert filled.json == [{"niveau": "débutant"}]
    assert empty.code == "23502"


def test_an_empty_object_is_a_row_of_defaults_and_an_empty_list_is_none(school: School) -> None:
    row = school.post("/journal?select=ligne", {}, Prefer=SHOW)
    none = school.post("/journal?select=ligne", [], Prefer=SHOW)
    assert (row.json, none.json) == ([{"ligne": None}], [])


def test_the_key_of_a_new_row_is_told_in_the_headers(school: School) -> None:
    answer = school.post(
        "/inscriptions", {"eleve_id": 3, "formation_id": 1}, Prefer="return=headers-only"
    )
    assert answer.headers["location"] == "/inscriptions?eleve_id=eq.3&formation_id=eq.1"


def test_an_upsert_tells_whether_anything_was_new(school: School) -> None:
    merge = f"{SHOW}, resolution=merge-duplicates"
    known = school.post("/compteurs", [{"nom": "a", "valeur": 9}], Prefer=merge)
    partly = school.post(
        "/compteurs?order=nom", [{"nom": "a", "valeur": 9}, {"nom": "z", "valeur": 1}], Prefer=merge
    )
    assert (known.status, known.json) == (200, [{"nom": "a", "valeur": 9}])
    assert (partly.status, len(partly.json)) == (201, 2)


def test_duplicates_can_be_passed_over(school: School) -> None:
    answer = school.post(
        "/compteurs",
        [{"nom": "a", "valeur": 9}, {"nom": "z", "valeur": 1}],
        Prefer=f"{SHOW}, resolution=ignore-duplicates",
    )
    assert answer.json == [{"nom": "z", "valeur": 1}]


def test_an_upsert_can_name_another_constraint(school: School) -> None:
    rows = [{"titre": "Physique", "heures": 1}]
    prefer = f"{SHOW}, resolution=merge-duplicates"
    named = school.post("/formations?on_conflict=titre&select=id,heures", rows, Prefer=prefer)
    wrong = school.post("/formations?on_conflict=heures", rows, Prefer=prefer)
    assert named.json == [{"id": 1, "heures": 1}]
    assert wrong.code == "42P10"


def test_put_makes_the_row_of_its_key_or_replaces_it(school: School) -> None:
    new = school.put("/compteurs?nom=eq.z", {"nom": "z", "valeur": 1}, Prefer=SHOW)
    old = school.put("/compteurs?nom=eq.a", {"nom": "a", "valeur": 7}, Prefer=SHOW)
    assert (new.status, new.json) == (201, [{"nom": "z", "valeur": 1}])
    assert (old.status, old.json) == (200, [{"nom": "a", "valeur": 7}])


def test_put_of_another_key_changes_nothing(own_school: School) -> None:
    answer = own_school.put("/compteurs?nom=eq.a", {"nom": "z", "valeur": 1})
    assert answer.code == "PGRST115"
    assert own_school.get("/compteurs?select=nom&order=nom").json == [{"nom": "a"}, {"nom": "b"}]


def test_a_change_shows_the_rows_it_changed(school: School) -> None:
    answer = school.patch("/compteurs?nom=eq.a&select=valeur", {"valeur": 5}, Prefer=SHOW)
    assert (answer.status, answer.json) == (200, [{"valeur": 5}])


def test_a_change_of_nothing_changes_nothing(school: School) -> None:
    answer = school.patch("/compteurs?select=nom", {}, Prefer=SHOW)
    assert (answer.status, answer.json) == (200, [])


def test_what_is_deleted_is_shown_once_more(school: School) -> None:
    answer = school.delete("/journal?ligne=eq.un", Prefer=SHOW)
    assert (answer.status, answer.json) == (200, [{"ligne": "un"}])


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_everything_at_once_is_not_changed(school: School, method: str) -> None:
    answer = school.ask(method, "/journal", {"ligne": "x"})
    assert (answer.status, answer.code) == (400, "21000")
    assert answer.json["message"].endswith("requires a WHERE clause")


def test_a_single_object_that_is_none_undoes_the_change(own_school: School) -> None:
    single = "application/vnd.pgrst.object+json"
    answer = own_school.patch("/compteurs?valeur=gt.0", {"valeur": 9}, Prefer=SHOW, Accept=single)
    assert (answer.status, answer.code) == (406, "PGRST116")
    assert answer.json["details"] == "The result contains 2 rows"
    assert own_school.get("/compteurs?valeur=eq.9").json == []


def test_more_rows_than_allowed_undo_the_change(own_school: School) -> None:
    answer = own_school.delete("/compteurs?valeur=gt.0", Prefer="handling=strict, max-affected=1")
    assert answer.code == "PGRST124"
    assert len(own_school.get("/compteurs").json) == 2


def test_what_is_kept_stays_and_what_is_rolled_back_does_not(school: School) -> None:
    school.post("/journal", {"ligne": "perdue"})
    school.post("/journal", {"ligne": "gardée"}, Prefer="tx=commit")
    left = school.get("/journal?ligne=in.(perdue,gardée)").json
    school.delete("/journal?ligne=eq.gardée", Prefer="tx=commit")
    assert left == [{"ligne": "gardée"}]


def test_a_body_that_is_no_json_is_refused_by_postgresql_too(school: School) -> None:
    answer = school.post("/journal?columns=ligne", "{", Prefer=SHOW)
    assert (answer.status, answer.code) == (400, "22P02")


def test_lines_of_values_become_rows(school: School) -> None:
    answer = school.post(
        "/compteurs?order=nom",
        "nom,valeur\nx,1\ny,2\n",
        Prefer=SHOW,
        Content_Type="text/csv",
    )
    assert answer.json == [{"nom": "x", "valeur": 1}, {"nom": "y", "valeur": 2}]


def test_what_was_written_is_shown_as_lines_of_the_columns_asked_for(school: School) -> None:
    answer = school.post(
        "/compteurs?select=valeur,nom", {"nom": "x", "valeur": 1}, Prefer=SHOW, Accept="text/csv"
    )
    assert answer.body.decode() == "valeur,nom\n1,x"
