"""Who sees what over HTTP: grants, policies, and what is answered without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest.serving import ADA, refusal

if TYPE_CHECKING:
    import httpx

    from tests.local.rest.serving import Served


def test_rows_of_others_are_not_there(served: Served) -> None:
    with served.client("authenticated", sub=ADA) as ada:
        assert ada.get("/diaries?select=page").json() == [{"page": "mine"}]
        assert (
            ada.head("/diaries", headers={"Prefer": "count=exact"})
            .headers["content-range"]
            .endswith("/1")
        )


def test_a_table_without_a_grant_is_401_for_strangers_and_403_for_others(
    served: Served, reader: httpx.Client
) -> None:
    with served.client("authenticated", sub=ADA) as ada:
        theirs = ada.get("/secrets")
    strangers = reader.get("/secrets")

    assert (theirs.status_code, refusal(theirs)["code"]) == (403, "42501")
    assert (strangers.status_code, refusal(strangers)["code"]) == (401, "42501")
    assert strangers.headers["www-authenticate"] == "Bearer"


def test_the_secret_key_passes_policies_but_needs_grants(served: Served) -> None:
    with served.client("service_role") as service:
        assert len(service.get("/diaries").json()) == 2
        assert service.get("/secrets").status_code == 403


def test_a_role_that_does_not_exist_is_nobody(served: Served) -> None:
    with served.client("ghost") as ghost:
        answer = ghost.get("/books")

    assert (answer.status_code, refusal(answer)["code"]) == (401, "22023")
    assert answer.json()["message"] == 'role "ghost" does not exist'


@pytest.mark.parametrize("role", ["postgres", "supabase_admin", "authenticator"])
def test_a_token_cannot_name_a_role_beyond_the_apis(served: Served, role: str) -> None:
    with served.client(role) as client:
        answer = client.get("/books")

    assert answer.status_code in {401, 403}
