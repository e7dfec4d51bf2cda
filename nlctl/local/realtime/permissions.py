"""What a channel's client may hear and say, remembered until he shows another token."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from nlctl.local.realtime.joining import JoinRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from nlctl.local.realtime.authorization import Authorizer, Visitor

UNREACHABLE = (psycopg.OperationalError, PoolTimeout, PoolClosed)

log = logging.getLogger(__name__)


class Permissions:
    """Those of one channel. A public topic has no policies: all is allowed there."""

    def __init__(self, authorizer: Authorizer, *, is_private: bool) -> None:
        self._authorizer = authorizer
        self._is_private = is_private
        self._readable: dict[str, bool] = {}
        self._writable: dict[str, bool] = {}

    def may_read(self, extension: str) -> bool:
        """Whether the client may hear it, as far as has been asked."""
        return not self._is_private or self._readable.get(extension, False)

    async def ask_to_read(self, visitor: Visitor, extensions: Collection[str]) -> None:
        """Find out what may be heard; nothing at all, or no answer, is JoinRefused."""
        if not self._is_private:
            return
        readable = await self._find_readable(visitor, extensions)
        self._readable.update({each: each in readable for each in extensions})
        if not readable:
            raise may_not_read(visitor.topic)

    async def may_write(self, visitor: Visitor, extension: str) -> bool:
        """Whether the client may say it; asked of the policies at the first word only."""
        if not self._is_private:
            return True
        if extension not in self._writable:
            try:
                allowed = await self._authorizer.may_write(visitor, extension)
            except (psycopg.Error, *UNREACHABLE) as error:
                log.warning("RlsPolicyError: %s", error)
                return False
            self._writable[extension] = allowed
        return self._writable[extension]

    async def renew(self, visitor: Visitor, extensions: Collection[str]) -> None:
        """Ask again, for a new token; whoever may hear less than before is refused."""
        before = {each for each, could in self._readable.items() if could}
        self._writable.clear()
        await self.ask_to_read(visitor, extensions)
        if not all(map(self.may_read, before)):
            raise JoinRefused(
                "Unauthorized",
                f"You no longer have permission to read from this Channel topic: {visitor.topic}",
            )

    async def _find_readable(self, visitor: Visitor, extensions: Collection[str]) -> frozenset[str]:
        try:
            return await self._authorizer.readable(visitor, extensions)
        except errors.QueryCanceled as error:
            raise JoinRefused("QueryCanceled", str(error)) from error
        except UNREACHABLE as error:
            raise JoinRefused(
                "UnableToConnectToProject",
                "Realtime was unable to connect to the project database",
            ) from error
        except psycopg.Error as error:
            log.warning("RlsPolicyError: %s", error)
            return frozenset()


def may_not_read(topic: str) -> JoinRefused:
    """The refusal of a topic that nothing may be heard on."""
    return JoinRefused(
        "Unauthorized", f"You do not have permissions to read from this Channel topic: {topic}"
    )
