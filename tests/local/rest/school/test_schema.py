"""Schema: what is read of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl.local.rest.names import Name

if TYPE_CHECKING:
    from nlctl.local.rest.relationships import Relationship
    from nlctl.local.rest.schema import Function, Relation, Schema
    from tests.local.rest.school.asking import School


@pytest.fixture
def schema(school: School) -> Schema:
    known = school.database.schema
    assert known is not None
    return known


def relation(schema: Schema, name: str) -> Relation:
    return schema.relations[Name("public", name)]


def function(schema: Schema, name: str) -> Function:
    (only,) = schema.functions[Name("public", name)]
    return only


def between(schema: Schema, source: str, target: str) -> list[Relationship]:
    found = schema.relationships[Name("public", source)]
    return [one for one in found if one.target.name == target]


def test_a_column_is_known_with_its_type_default_and_labels(schema: Schema) -> None:
    column = relation(schema, "formations").columns["niveau"]
    assert column.type == "public.niveau"
    assert column.default == "'débutant'::public.niveau"
    assert list(column.labels) == ["débutant", "avancé"]
    assert not column.is_nullable


def test_an_identity_counts_as_a_default(schema: Schema) -> None:
    default = relation(schema, "formations").columns["id"].default
    assert default == "nextval('public.formations_id_seq')"


def test_a_table_knows_its_key_and_a_view_that_of_its_table(schema: Schema) -> None:
    assert relation(schema, "inscriptions").key == ("eleve_id", "formation_id")
    assert relation(schema, "affiches").key == ("numero",)
    assert relation(schema, "vitrine").key == ("numero",)
    assert relation(schema, "journal").key == ()


def test_partitions_are_part_of_their_parent(schema: Schema) -> None:
    assert Name("public", "presences_2025") not in schema.relations
    (only,) = between(schema, "presences", "eleves")
    assert only.constraint == "presences_eleve_id_fkey"


def test_schemas_that_are_not_exposed_stay_out(schema: Schema) -> None:
    assert {name.schema for name in schema.relations} == {"public"}
    assert {name.schema for name in schema.functions} == {"public"}


def test_a_key_leads_both_ways(schema: Schema) -> None:
    (there,) = between(schema, "formations", "salles")
    (back,) = between(schema, "salles", "formations")
    assert (there.kind, there.columns) == ("many-to-one", (("salle_id", "id"),))
    assert (back.kind, back.columns) == ("one-to-many", (("id", "salle_id"),))


def test_a_unique_key_leads_to_one_row(schema: Schema) -> None:
    (back,) = between(schema, "formations", "programmes")
    assert (back.kind, back.is_to_one) == ("one-to-one", True)


def test_a_junction_leads_from_one_side_to_the_other(schema: Schema) -> None:
    (only,) = between(schema, "eleves", "formations")
    assert only.kind == "many-to-many"
    assert only.junction is not None
    assert only.junction.table.name == "inscriptions"


def test_a_view_leads_where_its_table_does(schema: Schema) -> None:
    columns = {one.columns for one in between(schema, "vitrine", "professeurs")}
    assert columns == {(("prof", "id"),)}
    assert between(schema, "vitrine", "programmes")[0].columns == (("numero", "formation_id"),)


def test_a_function_of_a_row_leads_to_rows(schema: Schema) -> None:
    written = [one for one in schema.relationships[Name("public", "eleves")] if one.function]
    assert [(one.function, one.is_to_one) for one in written] == [
        (Name("public", "camarades"), False)
    ]


def test_a_function_is_known_with_its_parameters(schema: Schema) -> None:
    first, second = function(schema, "bonjour").parameters
    assert (first.name, first.type, first.is_required) == ("prenom", "text", True)
    assert (second.name, second.is_required) == ("mot", False)
    assert function(schema, "somme").parameters[0].is_variadic


def test_a_function_is_known_with_what_it_returns(schema: Schema) -> None:
    kinds = {
        name: (function(schema, name).returns_set, function(schema, name).returns_rows)
        for name in ("bonjour", "pairs", "premiere", "formations_de", "bilan")
    }
    assert kinds == {
        "bonjour": (False, False),
        "pairs": (True, False),
        "premiere": (False, True),
        "formations_de": (True, True),
        "bilan": (True, True),
    }
    assert function(schema, "rien").is_void


def test_overloads_stand_side_by_side(schema: Schema) -> None:
    types = {one.parameters[0].type for one in schema.functions[Name("public", "double")]}
    assert types == {"integer", "text"}


def test_settings_of_the_roles_are_known(schema: Schema) -> None:
    assert schema.role_settings["anon"]["statement_timeout"] == "3s"
    assert schema.role_settings["authenticated"]["statement_timeout"] == "8s"
