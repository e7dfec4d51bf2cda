"""Changes of whole tables in functions, which the platform refuses and PostgreSQL alone does not.

The platform loads a module that looks at every statement as it runs. Without it a function can
only be read beforehand: enough to tell whoever wrote it, not to refuse a call that may never come
to that statement.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput
from nlctl.migrations import statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nlctl.local.rest.schema import Function

log = logging.getLogger(__name__)

NO_STATEMENT = {"before", "after", "do", "for", "key", "no", "of", "on", "or"}
"""After these words `update` and `delete` change nothing by themselves: `for update`."""


def tell(function: Function) -> None:
    """Warn of the first statement that the platform would refuse."""
    verb = find(function.source)
    if verb:
        name = ".".join(function.name)
        log.warning("Supabase will refuse %s: its %s requires a WHERE clause.", name, verb)


@lru_cache(maxsize=512)
def find(source: str) -> str | None:
    """UPDATE or DELETE, where the body of a function has one without WHERE."""
    try:
        pieces = statements.split(source)
    except InvalidInput:
        return None
    return next((verb for piece in pieces if (verb := _verb(piece.words))), None)


def _verb(words: Sequence[str]) -> str | None:
    for before, (word, *rest) in _walk(words):
        is_change = (word == "update" and "set" in rest) or (word, *rest[:1]) == ("delete", "from")
        if is_change and before not in NO_STATEMENT and "where" not in rest:
            return word.upper()
    return None


def _walk(words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each word with the one before it and all after it."""
    for place, before in enumerate(("", *words[:-1])):
        yield before, words[place:]
