"""Redirects: which addresses a letter may lead back to."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlctl.local.auth import AuthConfig, redirects


def _allows(address: str, *globs: str, site: str = "https://app.test") -> bool:
    config = AuthConfig(database_url="", external_url="", site_url=site, redirect_urls=tuple(globs))
    return redirects.is_allowed(config, address)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("https://app.test", True),
        ("https://app.test/deep/page?x=1#y", True),
        ("http://app.test", False),
        ("https://app.test:8443", False),
        ("https://app.test.evil.test", False),
        ("https://app.test@evil.test", False),
        ("https://evil.test/https://app.test", False),
        ("//evil.test", False),
        ("/relative", False),
        ("javascript:alert(1)", False),
        ("https://app.test:port", False),
        ("https://app.test\n.evil.test", False),
        ("", False),
    ],
)
def test_the_site_itself_is_allowed(address: str, is_allowed: bool) -> None:
    assert _allows(address) is is_allowed


def test_any_port_of_a_local_site_is_allowed() -> None:
    assert _allows("http://localhost:9999/x", site="http://localhost:3000")


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]:8080/x", True),
        ("http://192.168.1.5/x", False),
        ("http://2130706433/x", False),
    ],
)
def test_numbers_are_allowed_only_for_this_machine(
    address: str,
    is_allowed: bool,
) -> None:
    assert _allows(address, "http://**") is is_allowed


@pytest.mark.parametrize(
    ("glob", "address", "is_allowed"),
    [
        ("https://*.shop.test", "https://de.shop.test", True),
        ("https://*.shop.test", "https://a.b.shop.test", False),
        ("https://*.shop.test/*", "https://de.shop.test/in", True),
        ("https://*.shop.test/*", "https://de.shop.test/in/side", False),
        ("https://*.shop.test/**", "https://de.shop.test/in/side", True),
        ("https://shop.test/?", "https://shop.test/a", True),
        ("https://shop.test/?", "https://shop.test/ab", False),
        ("https://shop.test/[ab]", "https://shop.test/b", True),
        ("https://shop.test/[!ab]", "https://shop.test/b", False),
        ("https://shop.test/[a-c]", "https://shop.test/b", True),
        ("https://shop.test/[a-cz]", "https://shop.test/-", True),
        ("https://shop.test/[a-cz]", "https://shop.test/b", False),
        ("https://shop.test/[c-a]", "https://shop.test/b", False),
        ("https://{de,fr}.shop.test", "https://fr.shop.test", True),
        ("https://{de,fr}.shop.test", "https://it.shop.test", False),
        ("https://shop.test/a,b", "https://shop.test/a,b", True),
        ("https://shop.test/\\*", "https://shop.test/*", True),
        ("https://shop.test/\\*", "https://shop.test/x", False),
        ("https://shop.test/{", "https://shop.test/{", True),
        ("com.app.mobile://**", "com.app.mobile://login?x=1", True),
        ("https://shop.test/in", "https://shop.test/in#fragment", True),
    ],
)
def test_the_list_speaks_globs(
    glob: str,
    address: str,
    is_allowed: bool,
) -> None:
    assert _allows(address, glob) is is_allowed


@given(st.text())
def test_whatever_is_asked_gets_an_answer(address: str) -> None:
    assert _allows(address, "https://*.shop.test/**") in {True, False}


@given(st.text(alphabet="ab*?{},[]!-\\./"))
@example("[?--]")
def test_whatever_is_on_the_list_gets_an_answer(glob: str) -> None:
    assert _allows("https://shop.test/ab", glob) in {True, False}
