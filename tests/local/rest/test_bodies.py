"""Bodies: handed on as they are, looked at only as far as needed."""

from __future__ import annotations

import json

import pytest

from nlctl.local.rest import body
from nlctl.local.rest.errors import ApiError
from nlctl.local.rest.request import (
    BYTES,
    CSV,
    FORM,
    JSON,
    TEXT,
    Action,
    Body,
    FormBody,
    JsonBody,
    Media,
    Query,
    RawBody,
)


def read(
    content: str | bytes,
    media: Media = JSON,
    action: Action = Action.INSERT,
    columns: tuple[str, ...] | None = None,
) -> Body | None:
    content = content.encode() if isinstance(content, str) else content
    return body.read(content, media, action, Query(columns=columns))


def refusal(content: str | bytes, media: Media = JSON, action: Action = Action.INSERT) -> ApiError:
    with pytest.raises(ApiError) as refused:
        read(content, media, action)
    return refused.value


def test_json_reaches_the_database_letter_by_letter() -> None:
    text = '{"n": 1.50, "big": 123456789012345678901234567890, "é": "\\u00e9"}'

    assert read(text) == JsonBody(text, ("n", "big", "é"), is_object=True)


def test_rows_with_the_same_keys_in_any_order_are_one_table() -> None:
    text = '[{"a": 1, "b": 2}, {"b": 3, "a": 4}]'

    assert read(text) == JsonBody(text, ("a", "b"), is_array=True)


@pytest.mark.parametrize("text", ['[{"a":1},{"b":1}]', '[{"a":1},{}]', '[{"a":1},2]', "[1]"])
def test_rows_with_other_keys_are_refused(text: str) -> None:
    assert (refusal(text).code, refusal(text).message) == (
        "PGRST102",
        "All object keys must match",
    )


@pytest.mark.parametrize(
    "content",
    ["", "{", "nul", '{"a":NaN}', '{"a":Infinity}', '{"a":"\t"}', "[" * 100_000, b"\xff{}", "{}{}"],
)
def test_what_is_no_json_is_refused(content: str | bytes) -> None:
    assert (refusal(content).code, refusal(content).message) == (
        "PGRST102",
        "Empty or invalid json",
    )


@pytest.mark.parametrize("text", ["[]", "1", "null", '"a"'])
def test_what_holds_no_row_is_no_rows(text: str) -> None:
    assert read(text) == JsonBody("[]", (), is_array=True)


def test_with_columns_the_text_is_not_looked_at() -> None:
    assert read("[{'", columns=("a",)) == JsonBody("[{'", None)


def test_a_number_of_many_digits_is_the_databases_to_judge() -> None:
    assert isinstance(read('{"a": ' + "9" * 10_000 + "}"), JsonBody)


def test_a_call_without_a_body_has_no_arguments() -> None:
    assert read("", action=Action.CALL) == JsonBody("{}", (), is_object=True)


def test_a_delete_may_send_what_it_likes() -> None:
    assert read("}{", action=Action.DELETE) is None


def test_csv_becomes_rows_of_texts_and_nulls() -> None:
    made = read('a,"b c"\r\n1,"x, ""y""\nz"\nNULL,\n', CSV)

    assert isinstance(made, JsonBody)
    assert made.keys == ("a", "b c")
    assert json.loads(made.text) == [
        {"a": "1", "b c": 'x, "y"\nz'},
        {"a": None, "b c": ""},
    ]


def test_csv_of_a_header_alone_is_no_rows() -> None:
    assert read("a,b\n", CSV) == JsonBody("[]", (), is_array=True, media=CSV)


def test_a_csv_line_that_is_too_short_is_refused() -> None:
    assert refusal("a,b\n1\n", CSV).message == "All lines must have same number of fields"


@pytest.mark.parametrize("content", ["", "\n\n", 'a\n"1', 'a\n"1"2'])
def test_broken_csv_is_refused(content: str) -> None:
    assert refusal(content, CSV).code == "PGRST102"


def test_a_form_is_a_row_for_a_table_and_arguments_for_a_function() -> None:
    form = b"a=1+2&b=%C3%A9&a=3&c"

    row = read(form, FORM)
    assert isinstance(row, JsonBody)
    assert json.loads(row.text) == {"a": "3", "b": "é", "c": ""}
    assert read(form, FORM, Action.CALL) == FormBody(
        (("a", "1 2"), ("b", "é"), ("a", "3"), ("c", ""))
    )


def test_a_function_takes_text_and_bytes_as_they_are() -> None:
    assert read(b"\0\xff", BYTES, Action.CALL) == RawBody(b"\0\xff", BYTES)
    assert read("é", TEXT, Action.CALL) == RawBody("é".encode(), TEXT)


@pytest.mark.parametrize("action", [Action.INSERT, Action.UPDATE, Action.PUT])
def test_a_table_takes_no_text(action: Action) -> None:
    assert refusal("a", TEXT, action).message == "Content-Type not acceptable: text/plain"


@pytest.mark.parametrize("media", [TEXT, FORM])
@pytest.mark.parametrize("content", [b"a\0", b"\xff"])
def test_what_postgresql_has_no_text_for_is_refused(media: Media, content: bytes) -> None:
    assert (refusal(content, media, Action.CALL).code) == "22021"
