"""Who may hear a private topic, asked as the Realtime service asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.database import act_as

if TYPE_CHECKING:
    from tests.callers import Person


def hears(person: Person, topic: str, extension: str = "broadcast") -> bool:
    """Whether this person sees a message of the topic, which is what lets him join."""
    with person.database.connect(autocommit=False) as connection:
        [message] = connection.execute(
            "insert into realtime.messages (topic, extension) values (%s, %s) returning id",
            [topic, extension],
        )
        connection.execute("select set_config('realtime.topic', %s, true)", [topic])
        act_as(connection, person.caller)
        seen = connection.execute("select id from realtime.messages where id = %s", message)
        heard = seen.fetchone() is not None
        connection.rollback()
    return heard
