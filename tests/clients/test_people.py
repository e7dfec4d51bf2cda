"""Visitors, people, staff and servers, each with a client of their own: new ones for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from postgrest.exceptions import APIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from supabase import Client


def first_names(client: Client) -> list[Any]:
    """Of everybody this client sees."""
    rows: list[Any] = client.table("profiles").select("first_name").execute().data
    return [row["first_name"] for row in rows]


def id_of(client: Client) -> str:
    found = client.auth.get_user()
    assert found
    return found.user.id


def test_a_visitor_reads_the_theme_and_nobodys_profile(anon: Client) -> None:
    assert "colors" in cast("Any", anon.rpc("get_active_theme_tokens").execute().data)

    with pytest.raises(APIError, match="permission denied for table profiles"):
        first_names(anon)


def test_two_people_of_one_name_are_two(client: Callable[[str], Client]) -> None:
    ada, other = client("Ada"), client("Ada")

    assert id_of(ada) != id_of(other)
    assert (first_names(ada), first_names(other)) == (["Ada"], ["Ada"])


def test_staff_may_ask_what_people_may_not(
    client: Callable[[str], Client], staff: Callable[[str], Client]
) -> None:
    assert staff("admin").rpc("list_users").execute().data

    with pytest.raises(APIError) as refusal:
        client("Ben").rpc("list_users").execute()
    assert refusal.value.code == "FORBIDDEN"


def test_a_server_sees_everybody(client: Callable[[str], Client], service: Client) -> None:
    cleo = id_of(client("Cleo"))

    found = service.table("profiles").select("first_name").eq("id", cleo).execute()
    assert found.data == [{"first_name": "Cleo"}]
