"""Media types and preferences: what headers ask for, and what they are told."""

from __future__ import annotations

import pytest

from nlctl.local.rest import media, preferences
from nlctl.local.rest.request import (
    ANY,
    ARRAY_STRIPPED,
    CSV,
    JSON,
    SINGLE,
    SINGLE_STRIPPED,
    XML,
    Action,
    ApiRequest,
    Count,
    Handling,
    Identity,
    Media,
    Missing,
    PlanOptions,
    Preferences,
    Resolution,
    Return,
    Transaction,
)

PLAN = "application/vnd.pgrst.plan"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("Text/CSV", CSV),
        ("*/*", ANY),
        ("application/vnd.pgrst.object", SINGLE),
        ("ApplicatIon/vnd.PgRsT.object+json", SINGLE),
        ("application/vnd.pgrst.object+json;nulls=stripped", SINGLE_STRIPPED),
        ("application/vnd.pgrst.array+json; Nulls=stripped", ARRAY_STRIPPED),
        ("application/vnd.pgrst.array+json", JSON),
        ("application/vnd.twkb", Media("application/vnd.twkb")),
        ("nonsense", Media("nonsense")),
        (f"{PLAN};", Media(f"{PLAN}+text", plan=PlanOptions(JSON))),
        (
            f'{PLAN}+json; for="text/xml" ; options=wal|analyze|nothing',
            Media(f"{PLAN}+json", plan=PlanOptions(XML, True, ("analyze", "wal"))),
        ),
        (
            f'{PLAN}; for="application/vnd.pgrst.object+json;nulls=stripped"',
            Media(f"{PLAN}+text", plan=PlanOptions(SINGLE_STRIPPED)),
        ),
    ],
)
def test_a_media_type_is_known_whatever_its_letters_and_order(text: str, meant: Media) -> None:
    assert media.decode(text) == meant


def test_a_media_type_is_written_as_it_was_read() -> None:
    text = f'{PLAN}+json; for="text/csv"; options=analyze|buffers'

    assert media.written(media.decode(text)) == text


def test_texts_tell_their_encoding_and_bytes_do_not() -> None:
    told = [media.content_type(media.decode(t)) for t in ("text/csv", "application/octet-stream")]

    assert told == ["text/csv; charset=utf-8", "application/octet-stream"]


def test_a_browser_is_given_what_it_likes_best_of_what_there_is() -> None:
    accept = media.accepted("text/html,text/csv;q=0.5,application/json;q=0.9,*/*;q=0.1")

    assert [one.mime for one in accept] == ["text/html", "application/json", "text/csv", "*/*"]


@pytest.mark.parametrize("header", [None, "", " , "])
def test_who_accepts_nothing_in_particular_accepts_anything(header: str | None) -> None:
    assert media.accepted(header) == (ANY,)


@pytest.mark.parametrize("header", ["*/*;q=x", "a" * 5000, ";;;=,", '";q="', "text/*;q=1e999"])
def test_a_broken_accept_is_no_reason_to_fail(header: str) -> None:
    assert media.accepted(header)


def test_the_first_of_each_preference_counts_over_all_headers() -> None:
    asked = preferences.parse(
        ("return=minimal, resolution=ignore-duplicates", "return=representation,count=exact")
    )

    assert asked == Preferences(
        returning=Return.MINIMAL, resolution=Resolution.IGNORE, count=Count.EXACT
    )


def test_every_preference_is_understood() -> None:
    asked = preferences.parse(
        (
            "return=headers-only , missing=default, handling=strict, count=planned",
            "timezone=Europe/Paris,max-affected=12,tx=rollback,resolution=merge-duplicates",
        ),
        may_override_transaction=True,
    )

    assert asked == Preferences(
        Return.HEADERS_ONLY,
        Resolution.MERGE,
        Count.PLANNED,
        Missing.DEFAULT,
        Handling.STRICT,
        Transaction.ROLLBACK,
        "Europe/Paris",
        12,
    )


def test_a_transaction_is_rolled_back_only_where_that_is_allowed() -> None:
    assert preferences.parse(("tx=rollback",)).transaction is None


def test_what_nobody_understands_is_kept_for_the_strict() -> None:
    asked = preferences.parse(("return=all, count=exact, whatever", "max-affected=many"))

    assert asked.unknown == ("return=all", "whatever")
    assert asked.max_affected is None


def told(action: Action, header: str, *, resolved: bool = True) -> str | None:
    asked = preferences.parse((header,))
    request = ApiRequest(action, "public", "t", Identity("anon", "{}"), preferences=asked)
    return preferences.applied(request, resolved=resolved)


@pytest.mark.parametrize(
    ("action", "header", "answer"),
    [
        (Action.READ, "return=representation, count=exact", "count=exact"),
        (Action.READ, "return=minimal", None),
        (
            Action.INSERT,
            "count=exact, return=minimal, missing=default, resolution=merge-duplicates",
            "resolution=merge-duplicates, missing=default, return=minimal, count=exact",
        ),
        (Action.UPDATE, "resolution=merge-duplicates, missing=null", "missing=null"),
        (Action.DELETE, "missing=null, max-affected=1", None),
        (Action.DELETE, "handling=strict,max-affected=1", "handling=strict, max-affected=1"),
        (Action.CALL, "handling=lenient,max-affected=1", "handling=lenient"),
        (Action.PUT, "return=representation,timezone=UTC", "return=representation, timezone=UTC"),
    ],
)
def test_the_answer_tells_what_was_honoured(
    action: Action, header: str, answer: str | None
) -> None:
    assert told(action, header) == answer


def test_a_resolution_without_anything_to_conflict_on_was_not_honoured() -> None:
    assert told(Action.INSERT, "resolution=merge-duplicates", resolved=False) is None
