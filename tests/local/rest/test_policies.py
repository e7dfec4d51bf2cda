"""What policies and owners decide about a request where intuition says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest import serving
from tests.local.rest.conftest import config_for
from tests.local.rest.serving import ADA, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database
    from tests.local.rest.serving import Served

# Anybody may make a wish, and change one; nobody sees any.
WISHES = """
create table public.wishes (id int primary key, title text not null);
insert into public.wishes values (1, 'sea');
alter table public.wishes enable row level security;
create policy wishes_insert_all on public.wishes for insert to anon with check (true);
create policy wishes_update_all on public.wishes for update to anon using (true);
grant select, insert, update on public.wishes to anon;

create view public.wishes_of_the_owner as select title from public.wishes;
create view public.wishes_of_the_caller with (security_invoker = true) as
  select title from public.wishes;
grant select on public.wishes_of_the_owner, public.wishes_of_the_caller to anon;

create function public.unveil() returns json language sql security definer set search_path = '' as
  'select json_build_object(''user'', current_user, ''uid'', auth.uid(), ''role'', auth.role())';
grant execute on function public.unveil to authenticated;
"""
UNSEEN = 'new row violates row-level security policy for table "wishes"'


@pytest.fixture
def wishing(own_library: Database) -> Iterator[Served]:
    """The API over wishes."""
    own_library.run(WISHES)
    with serving.embed(config_for(own_library)) as api:
        yield api


def test_a_row_that_may_not_be_seen_cannot_be_shown_after_it_is_made(wishing: Served) -> None:
    with wishing.client() as anybody:
        silent = anybody.post("/wishes", json={"id": 2, "title": "sun"})
        shown = anybody.post(
            "/wishes",
            json={"id": 3, "title": "snow"},
            headers={"Prefer": "return=representation"},
        )

    assert silent.status_code == 201
    assert refused(shown, 401, "42501")["message"] == UNSEEN


@pytest.mark.parametrize("resolution", ["merge-duplicates", "ignore-duplicates"])
def test_an_upsert_needs_to_see_what_it_might_meet(wishing: Served, resolution: str) -> None:
    with wishing.client() as anybody:
        answer = anybody.post(
            "/wishes",
            json={"id": 2, "title": "sun"},
            headers={"Prefer": f"resolution={resolution}"},
        )

    assert refused(answer, 401, "42501")["message"] == UNSEEN


def test_a_view_shows_what_its_owner_sees_unless_it_asks_for_the_caller(wishing: Served) -> None:
    with wishing.client() as anybody:
        assert anybody.get("/wishes_of_the_owner").json() == [{"title": "sea"}]
        assert anybody.get("/wishes_of_the_caller").json() == []


def test_a_function_with_the_rights_of_its_owner_still_knows_the_caller(wishing: Served) -> None:
    with wishing.client("authenticated", sub=ADA) as ada:
        unveiled = ada.post("/rpc/unveil").json()

    assert unveiled == {"user": "postgres", "uid": ADA, "role": "authenticated"}
