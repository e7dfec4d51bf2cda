"""Reading: embeds of every kind, and what filters, orders and windows do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.local.rest.school.asking import School


def test_a_course_brings_its_teacher(school: School) -> None:
    answer = school.get("/formations?select=titre,professeurs!professeur_id(nom)&id=eq.1")
    assert answer.json == [{"titre": "Physique", "professeurs": {"nom": "Curie"}}]


def test_a_course_without_a_teacher_brings_null(school: School) -> None:
    answer = school.get("/formations?select=prof:professeur_id(nom)&id=eq.4")
    assert answer.json == [{"prof": None}]


def test_a_teacher_brings_courses_by_the_name_of_the_key(school: School) -> None:
    answer = school.get(
        "/professeurs?select=nom,formations!formations_remplacant_id_fkey(titre)&id=lt.3&order=id"
    )
    assert answer.json == [
        {"nom": "Curie", "formations": []},
        {"nom": "Hugo", "formations": [{"titre": "Physique"}]},
    ]


def test_a_pupil_brings_courses_through_the_junction(school: School) -> None:
    answer = school.get("/eleves?select=prenom,formations(titre)&formations.order=titre&id=eq.1")
    assert answer.json == [
        {"prenom": "Ada", "formations": [{"titre": "Physique"}, {"titre": "Poésie, prose"}]}
    ]


def test_a_course_has_one_programme_either_way(school: School) -> None:
    there = school.get("/formations?select=id,programmes(texte)&order=id&limit=2").json
    back = school.get("/programmes?select=formations(titre)&formation_id=eq.1").json
    assert there == [{"id": 1, "programmes": {"texte": "Atomes"}}, {"id": 2, "programmes": None}]
    assert back == [{"formations": {"titre": "Physique"}}]


def test_rooms_know_those_inside_and_the_one_around(school: School) -> None:
    answer = school.get("/salles?select=nom,dans_id(nom),dedans:salles(nom)&id=eq.2")
    assert answer.json == [
        {"nom": "étage", "dans_id": {"nom": "bâtiment"}, "dedans": [{"nom": "fond"}]}
    ]


def test_a_view_of_a_view_finds_what_its_table_points_at(school: School) -> None:
    answer = school.get("/vitrine?select=annonce,professeurs(nom)&order=annonce")
    assert answer.json == [
        {"annonce": "Physique", "professeurs": {"nom": "Curie"}},
        {"annonce": "Poésie, prose", "professeurs": {"nom": "Hugo"}},
    ]


def test_a_written_relationship_is_embedded_like_any(school: School) -> None:
    answer = school.get("/eleves?select=prenom,camarades(prenom)&order=id")
    assert answer.json == [
        {"prenom": "Ada", "camarades": [{"prenom": "Ben"}]},
        {"prenom": "Ben", "camarades": [{"prenom": "Ada"}]},
        {"prenom": "Cléo", "camarades": []},
    ]


def test_a_computed_field_is_selected_filtered_and_ordered_by(school: School) -> None:
    answer = school.get("/eleves?select=nom_complet&nom_complet=like.*a*&order=nom_complet.desc")
    assert [row["nom_complet"] for row in answer.json] == ["Cléo Caron", "Ben Blanc", "Ada Aubert"]


def test_partitions_are_embedded_through_their_parent(school: School) -> None:
    answer = school.get("/eleves?select=presences(annee)&id=eq.1&presences.order=annee")
    assert answer.json == [{"presences": [{"annee": 2025}, {"annee": 2026}]}]
    assert school.get("/presences_2025").code == "PGRST205"


def test_inner_leaves_out_parents_without_the_embed(school: School) -> None:
    answer = school.get(
        "/formations?select=titre,programmes!inner(texte)&programmes.texte=like.A*",
        Prefer="count=exact",
    )
    assert answer.json == [{"titre": "Physique", "programmes": {"texte": "Atomes"}}]
    assert answer.headers["content-range"] == "0-0/1"


def test_an_embed_that_is_null_can_be_asked_for(school: School) -> None:
    without = "/formations?select=titre,programmes()&programmes=is.null&order=titre"
    answer = school.get(without, Prefer="count=exact")
    assert answer.json == [{"titre": "Chimie"}, {"titre": "Orpheline"}]
    assert answer.headers["content-range"] == "0-1/2"


def test_a_filter_of_an_embed_leaves_its_parents(school: School) -> None:
    answer = school.get(
        "/professeurs?select=nom,formations!professeur_id(titre)&formations.heures=gt.30&order=id"
    )
    assert answer.json == [
        {"nom": "Curie", "formations": [{"titre": "Physique"}]},
        {"nom": "Hugo", "formations": []},
        {"nom": "Personne", "formations": []},
    ]


def test_an_embed_has_its_own_order_limit_and_offset(school: School) -> None:
    answer = school.get(
        "/eleves?select=formations(id)&id=eq.1"
        "&formations.order=id.desc&formations.limit=1&formations.offset=1"
    )
    assert answer.json == [{"formations": [{"id": 1}]}]


def test_rows_are_ordered_by_what_they_embed(school: School) -> None:
    answer = school.get(
        "/formations?select=titre,professeurs!professeur_id(nom)"
        "&order=professeurs(nom).desc.nullslast,id"
    )
    assert [row["titre"] for row in answer.json] == [
        "Poésie, prose", "Physique", "Chimie", "Orpheline",
    ]  # fmt: skip


def test_spreads_lift_one_row_or_gather_many(school: School) -> None:
    one = school.get("/formations?select=titre,...professeurs!professeur_id(prof:nom)&id=eq.1")
    many = school.get("/eleves?select=prenom,...formations(titre)&id=eq.1&formations.order=titre")
    assert one.json == [{"titre": "Physique", "prof": "Curie"}]
    assert many.json == [{"prenom": "Ada", "titre": ["Physique", "Poésie, prose"]}]


def test_aggregates_are_grouped_by_what_stands_beside_them(school: School) -> None:
    by_level = school.get("/formations?select=niveau,heures.sum(),count()&order=niveau")
    by_teacher = school.get(
        "/formations?select=...professeurs!professeur_id(nom),heures.max()&professeur_id=lt.3"
    )
    assert by_level.json == [
        {"niveau": "débutant", "sum": 20, "count": 2},
        {"niveau": "avancé", "sum": 45, "count": 2},
    ]
    assert sorted(row["nom"] for row in by_teacher.json) == ["Curie", "Hugo"]


def test_json_is_reached_by_path_and_cast(school: School) -> None:
    answer = school.get(
        "/formations?select=details->livre->>pages,details->tags->0,n:details->livre->pages::text"
        "&details->livre->>pages=eq.300"
    )
    assert answer.json == [{"pages": "300", "tags": "dur", "n": "300"}]


@pytest.mark.parametrize(
    ("condition", "titles"),
    [
        ("id=in.(1,3)", ["Physique", "Poésie, prose"]),
        ("id=in.()", []),
        ("titre=in.(\"Poésie, prose\")", ["Poésie, prose"]),
        ("heures=is.null", ["Poésie, prose"]),
        ("heures=not.is.null&heures=gte.20", ["Physique", "Chimie"]),
        ("or=(heures.lt.9,and(niveau.eq.débutant,heures.is.null))", ["Poésie, prose", "Orpheline"]),
        ("not.and=(heures.gt.10,niveau.eq.avancé)", ["Chimie", "Poésie, prose", "Orpheline"]),
        ("titre=ilike(any).{*mie,orph*}", ["Chimie", "Orpheline"]),
        ("heures=gt(all).{1,30}", ["Physique"]),
        ("mots=cs.{dur}", ["Physique"]),
        ("mots=ov.{court,dur}", ["Physique", "Poésie, prose"]),
        ("details=cs.{\"livre\":{\"pages\":90}}", ["Chimie"]),
        ("titre=wfts(french).physique", ["Physique"]),
        ("titre=match.^[PO]", ["Physique", "Poésie, prose", "Orpheline"]),
        ("heures=isdistinct.40", ["Chimie", "Poésie, prose", "Orpheline"]),
    ],
)  # fmt: skip
def test_a_filter_finds_its_courses(school: School, condition: str, titles: list[str]) -> None:
    answer = school.get(f"/formations?select=titre&order=id&{quote(condition, safe='=&')}")
    assert [row["titre"] for row in answer.json] == titles


def test_names_of_every_letter_are_found(school: School) -> None:
    relation = quote('Mots & "guillemets"')
    shown = quote('"a b","l\'été",select')
    answer = school.get(f"/{relation}?select={shown}&{quote('a b')}=eq.1")
    assert answer.json == [{"a b": 1, "l'été": "chaud", "select": "oui"}]


def test_requests_alike_share_a_plan_and_keep_their_values_apart(school: School) -> None:
    answers = [
        school.get(f"/formations?select=id&id=eq.{number}&limit={number}").json
        for number in (1, 2, 3)
    ]
    assert answers == [[{"id": 1}], [{"id": 2}], [{"id": 3}]]


def test_counts_are_exact_planned_or_estimated(school: School) -> None:
    ranges = [
        school.get("/formations?limit=1", Prefer=f"count={kind}").headers["content-range"]
        for kind in ("exact", "planned", "estimated")
    ]
    assert ranges == ["0-0/4", "0-0/4", "0-0/4"]


def test_rows_come_as_csv(school: School) -> None:
    answer = school.get("/formations?select=id,titre&order=id.desc&limit=2", Accept="text/csv")
    assert answer.body.decode() == 'id,titre\n4,Orpheline\n3,"Poésie, prose"'


def test_nulls_are_left_out_where_asked(school: School) -> None:
    answer = school.get(
        "/formations?select=id,heures&id=eq.3",
        Accept="application/vnd.pgrst.object+json;nulls=stripped",
    )
    assert answer.json == {"id": 3}


def test_the_plan_of_an_answer_can_be_the_answer(school: School) -> None:
    answer = school.get("/formations?id=eq.1", Accept="application/vnd.pgrst.plan+json")
    assert answer.json[0]["Plan"]["Node Type"] == "Aggregate"
