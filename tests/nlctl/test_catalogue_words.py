"""What the catalogue writes and how SQL wants it written."""

from __future__ import annotations

import pytest

from nlctl.catalogue import acl, names
from nlctl.catalogue.acl import Grant


def test_each_letter_is_a_privilege() -> None:
    assert acl.parse(["anon=ra/postgres"]) == (Grant("anon", "insert"), Grant("anon", "select"))


def test_a_star_passes_a_privilege_on() -> None:
    assert acl.parse(["anon=r*/postgres"]) == (Grant("anon", "select", is_grantable=True),)


def test_no_name_is_everybody() -> None:
    assert acl.parse(["=X/postgres"]) == (Grant("public", "execute"),)


def test_a_role_with_an_odd_name_is_read() -> None:
    assert acl.parse(['"night ""shift"" = 1"=r/postgres']) == (
        Grant('night "shift" = 1', "select"),
    )


def test_two_who_give_the_same_give_it_once() -> None:
    assert acl.parse(["anon=r/postgres", "anon=r/supabase_admin"]) == (Grant("anon", "select"),)


@pytest.mark.parametrize(
    ("name", "written"),
    [("loans", "loans"), ("user", '"user"'), ("Loans", '"Loans"'), ('a"b', '"a""b"')],
)
def test_a_name_has_quotes_where_it_needs_them(name: str, written: str) -> None:
    assert names.quoted(name) == written


@pytest.mark.parametrize(
    ("text", "written"), [(None, "null"), ("it's", "'it''s'"), ("a\\b", "E'a\\\\b'")]
)
def test_a_text_survives_being_written(text: str | None, written: str) -> None:
    assert names.literal(text) == written
