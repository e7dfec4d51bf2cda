"""Everything a frontend needs at sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database


@pytest.mark.parametrize(
    ("kind", "label", "home"),
    [
        ("owner", "Propriétaire", "/admin/dashboard"),
        ("admin", "Administrateur", "/admin/dashboard"),
        ("prof", "Professeur", "/client/dashboard"),
        ("client", "Client", "/client/dashboard"),
    ],
)
def test_a_person_is_told_who_he_is_and_where_he_lands(
    person: MakePerson, kind: str, label: str, home: str
) -> None:
    ada = person(kind, first_name="Ada")
    context = ada.rpc("get_session_context")
    assert context["user_type"] == {"id": kind, "label": label}
    assert context["home_path"] == home
    assert (context["profile"]["id"], context["profile"]["first_name"]) == (ada.id, "Ada")


def test_a_person_is_told_what_he_may_do(person: MakePerson) -> None:
    ada = person("prof")
    assert ada.rpc("get_session_context")["permissions"] == ada.rpc("get_my_permissions")


def test_a_person_is_told_which_theme_is_active(database: Database, person: MakePerson) -> None:
    [(theme,)] = database.run("select id::text from public.themes where is_default")
    assert person().rpc("get_session_context")["active_theme_id"] == theme


def test_modules_come_in_the_order_staff_chose(person: MakePerson) -> None:
    admin = person("admin")
    admin.run(
        "update public.modules_registry set position = -1 where component_key = 'nav:live_chat'"
    )
    modules = person().rpc("get_session_context")["modules"]
    assert modules[0]["component_key"] == "nav:live_chat"
    assert modules[0]["label"] == "Discussion en direct"
    assert [module["position"] for module in modules] == sorted(
        module["position"] for module in modules
    )


def test_staff_are_told_the_tabs_with_something_in_them(
    database: Database, person: MakePerson
) -> None:
    database.run(
        "insert into public.admin_dashboard_tabs (tab_key, label) values ('empty', 'Vide')"
    )
    tabs = person("owner").rpc("get_session_context")["tabs"]
    assert tabs[0] == {
        "tab_key": "overview",
        "label": "Vue d'ensemble",
        "icon": "layout-dashboard",
    }
    assert "empty" not in [tab["tab_key"] for tab in tabs]
    assert person().rpc("get_session_context")["tabs"] == []


def test_sign_in_works_before_any_seed(database: Database, person: MakePerson) -> None:
    for table in ("component_rules", "role_permissions", "modules_registry", "themes"):
        database.run(f"truncate public.{table}")
    context = person().rpc("get_session_context")
    assert (context["modules"], context["permissions"]) == ([], {})
    assert context["active_theme_id"] is None
