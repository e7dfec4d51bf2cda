"""Realtime services for tests: one that everybody shares, and those with limits of their own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests import databases
from tests.local.realtime import serving
from tests.local.realtime.serving import ARRAYS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database
    from tests.local.realtime.serving import Running


# What a topic allows is said by its first word.
POLICIES = """
create function public.allows(p_extension text, p_is_said boolean) returns boolean
language plpgsql as $$
begin
  if realtime.topic() like 'broken:%' then
    raise exception 'broken';
  end if;
  return case split_part(realtime.topic(), ':', 1)
    when 'both' then true
    when 'read' then not p_is_said
    when 'broadcast' then p_extension = 'broadcast'
    when 'presence' then p_extension = 'presence'
    when 'own' then realtime.topic() = 'own:' || (auth.jwt() ->> 'sub')
    when 'mind' then not p_is_said or auth.jwt() ->> 'sub' = 'ada'
    when 'knock' then current_setting('request.headers')::json ->> 'x-knock' = 'twice'
    else false
  end;
end;
$$;
create policy messages_select_allowed on realtime.messages for select to authenticated
  using (public.allows(extension, false));
create policy messages_insert_allowed on realtime.messages for insert to authenticated
  with check (public.allows(extension, true));
"""


class Serve(Protocol):
    """The `serve` fixture: a service with these limits, until the test ends."""

    def __call__(self, **limits: Any) -> Running: ...


@pytest.fixture(scope="module")
def rooms(platform_template: Database) -> Iterator[Database]:
    """A database with policies for the tests of a module, each on topics of its own."""
    made = databases.clone(platform_template)
    made.run(POLICIES)
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def realtime(rooms: Database) -> Iterator[Running]:
    """A service with the usual limits; tests share it, and use topics of their own."""
    with serving.serve(rooms.realtime_admin_url) as running:
        yield running


@pytest.fixture
def serve(rooms: Database) -> Iterator[Serve]:
    """Start a service: `serve(payload_bytes=1000)`."""
    with ExitStack() as stack:

        def start(**limits: Any) -> Running:
            return stack.enter_context(serving.serve(rooms.realtime_admin_url, **limits))

        yield start


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """The end of a topic that no other test uses; what stands before it says what it allows."""
    name: str = request.node.name
    return name


@pytest.fixture(params=[OBJECTS, ARRAYS])
def version(request: pytest.FixtureRequest) -> str:
    """Each version of the protocol."""
    spoken: str = request.param
    return spoken
