"""Policies in words, and what the text of a function tells of it."""

from __future__ import annotations

import pytest

from nlctl.rules import words
from nlctl.rules.bodies import Bodies, Publication, Refusal

OWNER_ONLY = """(id >= ( SELECT
        CASE
            WHEN (app.current_user_type() = 'owner'::text) THEN 0
            ELSE NULL::integer
        END AS "case"))"""
LEAST, MOST = ("-".join(digit * n for n in (8, 4, 4, 4, 12)) for digit in "0f")
BOUNDED = f"""((user_id = ( SELECT app.current_user_id() AS current_user_id))
  OR ((user_id >= ( SELECT
        CASE
            WHEN public.is_admin_or_owner(( SELECT auth.uid() AS uid)) THEN '{LEAST}'::uuid
            ELSE NULL::uuid
        END AS "case")) AND (user_id <= '{MOST}'::uuid)))"""
BROADCAST = """((extension = 'broadcast'::text)
  AND (( SELECT realtime.topic() AS topic) = 'a b'::text))"""
OWN_FOLDER = "((storage.foldername(name))[1] = (( SELECT auth.uid() AS uid))::text)"
CALLER = "( SELECT app.current_user_id() AS current_user_id)"
STAFF = "( SELECT public.is_admin_or_owner(( SELECT auth.uid() AS uid)) AS is_admin_or_owner)"


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (None, "all"),
        ("true", "all"),
        ("false", "none"),
        (f"(user_id = {CALLER})", "`user_id` is the caller"),
        ("(( SELECT auth.uid() AS uid) = owner_id)", "`owner_id` is the caller (even suspended)"),
        (f"({CALLER} IS NOT NULL)", "the caller has a living account"),
        (STAFF, "the caller is an admin or owner"),
        (f"((user_id = {CALLER}) OR {STAFF})",
         "`user_id` is the caller, or the caller is an admin or owner"),
        (f"((deleted_at IS NULL) AND ((user_id = {CALLER}) OR {STAFF}))",
         "it is not deleted and (`user_id` is the caller, or the caller is an admin or owner)"),
        ("(topic = 'a::b'::text)", "`topic` is `a::b`"),
        ("(topic = 'it''s `a`'::text)", "`topic` is `` it's `a` ``"),
        ("(status = ANY (ARRAY['draft'::text, 'sent'::text]))", "`status` is `draft` or `sent`"),
        ("(( SELECT app.current_user_type() AS current_user_type) = 'owner'::text)",
         "the caller is of type `owner`"),
        (OWNER_ONLY, "the caller is of type `owner`"),
        (BOUNDED, "`user_id` is the caller, or the caller is an admin or owner"),
        (BROADCAST, "the message is a `broadcast` and the topic is `a b`"),
        (f"(( SELECT realtime.topic() AS topic) = ('loans:'::text || {CALLER}))",
         "the topic is `loans:` with the id of the caller"),
        ("(is_active AND (NOT is_hidden))", "`is_active` is true and `is_hidden` is false"),
        (f"((bucket_id = 'avatars'::text) AND {OWN_FOLDER})",
         "`bucket_id` is `avatars` and its first folder is the id of the caller (even suspended)"),
    ],
)  # fmt: skip
def test_a_condition_has_words(condition: str | None, told: str) -> None:
    assert words.tell(condition) == told


@pytest.mark.parametrize(
    "condition",
    [
        "EXISTS ( SELECT 1 FROM public.loans WHERE (loans.user_id = auth.uid()))",
        "strpos(name, ' OR ') > 0",
        "app.may_read(id)",
    ],
)
def test_what_has_no_words_stays_sql(condition: str) -> None:
    assert words.tell(f"({condition})") == f"`{condition}`"


BODIES = Bodies(
    {
        "app.refuse": "case p_code when 'FORBIDDEN' then 403 when 'INVALID' then 422 end",
        "app.require_user": "perform app.refuse('FORBIDDEN', 'Connecte-toi.');",
        "public.borrow": """
          -- perform app.refuse('INVALID', 'Jamais.');
          perform app.require_user();
          perform app.refuse('INVALID', 'C''est (trop) tôt, vraiment.', 'due_on');
          perform app.refuse('INVALID', format('%s', now()), fault, null);
          insert into public.loans (id) values (1) on conflict (id) do update set n = 1;
          delete from public.holds where id = 1; perform app.tell(1);
        """,
        "app.tell": """
          declare topic constant text := 'loans:' || new.borrower_id; begin
          perform realtime.send(jsonb_build_object('id', new.id, 'at', now()), 'told', topic, true);
          perform realtime.broadcast_changes('loan:' || loan.id, 'moved', tg_op, 'loans');
          perform realtime.broadcast_changes('all', tg_op, tg_op, 'loans', 'public', new, old);
        """,
        "app.loop": "perform app.loop(); perform app.back();",
        "app.back": "perform app.loop(); perform app.refuse('FORBIDDEN', 'Non.');",
    }
)


def test_a_function_refuses_as_it_says_and_as_what_it_calls() -> None:
    assert BODIES.refusals("public.borrow") == [
        Refusal("INVALID", "C'est (trop) tôt, vraiment.", "due_on"),
        Refusal("INVALID", "…", "…"),
        Refusal("FORBIDDEN", "Connecte-toi.", ""),
    ]


def test_codes_stand_in_the_order_of_the_register() -> None:
    assert BODIES.codes("public.borrow") == ["FORBIDDEN", "INVALID"]
    assert BODIES.statuses == {"FORBIDDEN": 403, "INVALID": 422}


def test_functions_that_call_each_other_come_to_an_end() -> None:
    assert BODIES.codes("app.loop") == ["FORBIDDEN"]


def test_a_guard_is_what_turns_callers_away() -> None:
    assert BODIES.guards("public.borrow") == ["app.require_user"]


def test_a_function_writes_where_it_says() -> None:
    assert BODIES.writes("public.borrow") == [
        ("adds to or changes", "public.loans"),
        ("deletes from", "public.holds"),
    ]


def test_a_function_publishes_on_topics_people_can_read() -> None:
    assert BODIES.publications("public.borrow") == [
        Publication("loans:{borrower_id}", "told", "{ id, at }"),
        Publication("loan:{id}", "moved", None),
        Publication("all", "{tg_op}", None),
    ]
