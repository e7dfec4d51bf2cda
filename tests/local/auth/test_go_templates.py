"""Go templates: letters in a project's own words, or a refusal that names what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nlctl.local.auth import go_templates
from nlctl.local.auth.config import AuthConfig, LetterWords
from nlctl.local.auth.go_templates import TemplateRefused
from nlctl.local.auth.mailer import Mailer
from tests.local.auth.services import SITE

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve

ADA = "ada@example.test"
GIVEN = {
    "Email": ADA,
    "Token": "123456",
    "Data": {"name": "Ada & Ben", "age": 36, "is_new": True, "none": None},
}


def rendered(source: str) -> str:
    return go_templates.parse(source).render(GIVEN, is_html=True)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Code: {{ .Token }}", "Code: 123456"),
        ("{{.Token}}", "123456"),
        ("{{ .Data.name }}", "Ada &amp; Ben"),
        ("{{ .Data.age }} {{ .Data.is_new }} {{ .Data.none }}|", "36 true |"),
        ("{{ .Data.unknown.deeper }}{{ .Unknown }}|", "|"),
        ("{{ if .Data.name }}a{{ else }}b{{ end }}", "a"),
        ("{{ if .Data.no }}a{{ else if .Data.age }}b{{ else }}c{{ end }}", "b"),
        ("{{ if .Data.no }}a{{ end }}|", "|"),
        ("{{ if .Data.no }}{{ if .Token }}a{{ end }}b{{ else }}c{{ end }}", "c"),
        ('{{ if eq .Email "ada@example.test" }}a{{ end }}', "a"),
        ("{{ if ne .Data.age 36 }}a{{ else }}b{{ end }}", "b"),
        ("{{ if and .Token .Data.no }}a{{ else }}b{{ end }}", "b"),
        ("{{ if or .Data.no .Token }}a{{ end }}{{ if not .Data.no }}b{{ end }}", "ab"),
        ("a  {{- /* nobody reads this */ -}}  b", "ab"),
        ("a {{ .Token -}} \n b", "a 123456b"),
    ],
)
def test_a_template_says_what_go_would_say(source: str, text: str) -> None:
    assert rendered(source) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ range .Data }}{{ end }}", "{{ .Token | html }}", "{{ printf .Token }}", "{{ }}",
        "{{ $x := .Token }}", "{{ if (eq .Token 1) }}{{ end }}", "{{ eq .Token }}{{ end }}",
        "{{ if .Token }}", "{{ if }}{{ end }}", "{{ end }}", "{{ else }}", "{{ .Token", "{{ eq }}",
        '{{ template "x" }}', "{{ .Token .Email }}", "{{ if .Token }}{{ else if }}{{ end }}",
    ],
)  # fmt: skip
def test_what_go_might_say_otherwise_is_refused(source: str) -> None:
    with pytest.raises(TemplateRefused):
        rendered(source)


def test_a_subject_is_no_html() -> None:
    assert go_templates.parse("{{ .Data.name }}").render(GIVEN, is_html=False) == "Ada & Ben"


def test_a_letter_comes_in_the_words_of_the_project(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "confirmation.html"
    file.write_text(
        '<a href="{{ .ConfirmationURL }}">{{ .Data.name }}</a> {{ .Token }} {{ .SiteURL }} '
        "{{ if .NewEmail }}new{{ else }}{{ .Email }}{{ end }} hash={{ .TokenHash }}"
    )
    words = {"confirmation": LetterWords("Hello {{ .Data.name }}", file)}
    auth = serve(confirm_email=True, letters=words)
    auth.sign_up(ADA, data={"name": "A&B"})

    letter = auth.outbox.to(ADA)

    assert letter["Subject"] == "Hello A&B"
    assert letter.get_content_type() == "text/html"
    pattern = rf'<a href="\S+&amp;type=signup&amp;\S+">A&amp;B</a> \d{{6}} {SITE} {ADA} hash=\w+'
    assert re.fullmatch(pattern, letter.get_content().strip())


def test_a_template_that_cannot_be_followed_is_refused_before_anybody_needs_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "invite.html"
    file.write_text("{{ range .Data }}{{ end }}")

    with pytest.raises(
        TemplateRefused, match=r"invite\.html: {{ range \.Data }} is not understood"
    ):
        Mailer(AuthConfig("", "", "", letters={"invite": LetterWords(file=file)}))


def test_a_template_that_is_not_there_is_named() -> None:
    with pytest.raises(TemplateRefused, match=r"invite\.html cannot be read"):
        Mailer(AuthConfig("", "", "", letters={"invite": LetterWords(file=Path("invite.html"))}))
