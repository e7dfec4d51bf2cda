"""Whatever is sent, the answer is a refusal in the right shape or a success, never a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.auth.services import refused

if TYPE_CHECKING:
    from tests.local.auth.conftest import Serve
    from tests.local.auth.services import Running

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=200),
    st.recursive(st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
    st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3),
)
# What each name is usually followed by.
USUAL: dict[str, list[Any]] = {
    "email": ["somebody@example.test", "new@example.test"],
    "new_email": ["newer@example.test"],
    "phone": ["+33612345678", "33699999999"],
    "password": ["correct horse 1", "short"],
    "password_hash": ["$2b$04$" + "a" * 53],
    "data": [{"first_name": "Ada"}],
    "type": ["signup", "email", "recovery", "magiclink", "invite", "email_change", "sms"],
    "token": ["123456"],
    "token_hash": ["0" * 56],
    "refresh_token": ["abcdefghijkl"],
    "auth_code": ["00000000-0000-4000-8000-000000000000"],
    "code_verifier": ["v" * 64],
    "code_challenge": ["v" * 64],
    "code_challenge_method": ["s256", "plain"],
    "create_user": [False],
    "id": ["11111111-1111-4111-8111-111111111111"],
    "role": ["authenticated", "editor"],
    "app_metadata": [{"team": "red"}],
    "user_metadata": [{"team": None}],
    "ban_duration": ["24h", "none"],
    "email_confirm": [True],
    "friendly_name": ["phone"],
    "factor_type": ["totp", "phone"],
}
BODIES = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(usual) | ODD for name, usual in USUAL.items()}
)
DOORS = st.sampled_from(
    [
        ("POST", "/signup"),
        ("POST", "/token?grant_type=password"),
        ("POST", "/token?grant_type=refresh_token"),
        ("POST", "/token?grant_type=pkce"),
        ("POST", "/token?grant_type=id_token"),
        ("POST", "/otp"),
        ("POST", "/magiclink"),
        ("POST", "/recover"),
        ("POST", "/resend"),
        ("POST", "/verify"),
        ("POST", "/invite"),
        ("POST", "/admin/users"),
        ("POST", "/admin/generate_link"),
        ("PUT", "/user"),
        ("POST", "/factors"),
    ]
)


def test_no_body_makes_the_service_fail(serve: Serve) -> None:
    auth = serve(allow_phone=True, allow_anonymous=True, failures_per_five_minutes=10_000)
    token = auth.sign_up("somebody@example.test")["access_token"]

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(DOORS, BODIES)
    def knock(door: tuple[str, str], body: dict[str, Any]) -> None:
        _check(auth, token, *door, body)

    knock()


def _check(auth: Running, token: str, method: str, path: str, body: dict[str, Any]) -> None:
    needs_secret = path.startswith(("/admin", "/invite"))
    answer = auth.ask(method, path, body, token=auth.service_key if needs_secret else token)
    if answer.status_code >= 400 and "error" not in answer.json():
        status, code, message = refused(answer)
        assert status < 500 or message == "Unable to get SMS provider", (path, body, message)
        assert code
