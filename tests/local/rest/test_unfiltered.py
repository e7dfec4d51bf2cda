"""Functions that change whole tables: the platform refuses them, the local log tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nlctl.local.rest import unfiltered
from tests.local.rest import serving
from tests.local.rest.conftest import config_for

if TYPE_CHECKING:
    from tests.databases import Database

PAINT = """
    create function public.paint(p_color text) returns void language plpgsql security definer as
    $$ begin update public.covers set color = p_color; end $$;
    grant execute on function public.paint to anon
"""


@pytest.mark.parametrize(
    ("source", "verb"),
    [
        ("update t set a = 1", "UPDATE"),
        ("begin\n  if x then delete from public.t; end if;\nend", "DELETE"),
        ("begin update t as x set a = 1 from y; update t set a = 2 where true; end", "UPDATE"),
        ("with gone as (delete from t returning *) select count(*) from gone", "DELETE"),
        ("begin update t set a = 'where'; -- where\nend", "UPDATE"),
        ("delete from t where a = 1", None),
        ("update t set a = 1 where b = 2", None),
        ("insert into t values (1) on conflict (a) do update set a = 1", None),
        ("select * from t where a = 1 for update; select 'update t set a = 1'", None),
        ("select * from t for no key update", None),
        ("begin execute 'delete from t'; end -- delete from t", None),
        ("select 'never closed", None),
        ("", None),
    ],
)
def test_a_change_without_where_is_found(source: str, verb: str | None) -> None:
    assert unfiltered.find(source) == verb


def test_a_function_that_changes_everything_is_told_of_in_the_log(
    own_library: Database, caplog: pytest.LogCaptureFixture
) -> None:
    own_library.run(PAINT)

    with serving.embed(config_for(own_library)) as api, api.client() as anybody:
        answers = [anybody.post("/rpc/paint", json={"p_color": each}) for each in ("red", "blue")]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [record.message for record in caplog.records if "Supabase" in record.message] == [
        "Supabase will refuse public.paint: its UPDATE requires a WHERE clause."
    ]
