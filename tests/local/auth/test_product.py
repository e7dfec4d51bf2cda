"""The product's own rules at the door: an account of Auth is a person of the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.local.auth import services

if TYPE_CHECKING:
    from tests.databases import Database
    from tests.local.auth.services import Outbox


def test_a_newcomer_has_a_profile(database: Database, outbox: Outbox) -> None:
    with services.serve(database, outbox, confirm_email=True) as auth:
        user = auth.sign_up("ada@example.test", data={"first_name": "Ada"})
        auth.follow(auth.outbox.link("ada@example.test"))
        auth.sign_in("ada@example.test")

    assert database.run("select id::text, first_name from public.profiles") == [(user["id"], "Ada")]
