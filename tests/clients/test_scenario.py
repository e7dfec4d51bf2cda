"""supabase-py, waiting and awaiting, and supabase-js live the same life on the stack."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from supabase.lib.client_options import AsyncClientOptions

from supabase import ClientOptions, acreate_client, create_client
from tests import stacks
from tests.clients.scenario import Life

if TYPE_CHECKING:
    from tests.clients.scenario import Diary
    from tests.stacks import Stack

SCRIPT = Path(__file__).with_name("scenario.mjs")

EXPECTED: dict[str, Any] = {
    "a weak password": [
        422,
        "weak_password",
        (
            "Password should be at least 8 characters. Password should contain at least one "
            "character of each: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ, 0123456789."
        ),
    ],
    "sign-up": [None, "Ada"],
    "sign-in before the address is confirmed": [400, "email_not_confirmed", "Email not confirmed"],
    "the mailed link": [303, True],
    "sign-up of a known address": [None, []],
    "a wrong password": [400, "invalid_credentials", "Invalid login credentials"],
    "sign-in": [True, "bearer"],
    "the claims of the token": ["ES256", "authenticated"],
    "rows of one's own": [{"first_name": "Ada"}],
    "a row with its parent and the parent's children": {
        "first_name": "Ada",
        "user_types": {"label": "Client", "role_permissions": [{"user_type_id": "client"}]},
    },
    "a count": 4,
    "one row where there is none": [
        406,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
    ],
    "a table that is not there": [
        404,
        "PGRST205",
        "Could not find the table 'public.profilez' in the schema cache",
    ],
    "a column that is not there": [400, "42703", "column profiles.nope does not exist"],
    "a relationship that is not there": [
        400,
        "PGRST200",
        "Could not find a relationship between 'profiles' and 'themes' in the schema cache",
    ],
    "a row of one's own": ["Lovelace"],
    "somebody else's row": [],
    "a column that is not theirs": [403, "42501", "permission denied for table profiles"],
    "a row against the policies": [
        403,
        "42501",
        'new row violates row-level security policy for table "themes"',
    ],
    "an update of everything": [400, "21000", "UPDATE requires a WHERE clause"],
    "a function": True,
    "a function that refuses": [403, "FORBIDDEN", "Tu n'as pas le droit de faire cela."],
    "a row with an expired token": [401, "PGRST303", "JWT expired"],
    "oneself with an expired token": [
        403,
        "bad_jwt",
        (
            "invalid JWT: unable to parse or verify signature, "
            "token has invalid claims: token is expired"
        ),
    ],
    "refresh after expiry": [True, True],
    "a refresh token that never was": [
        400,
        "refresh_token_not_found",
        "Invalid Refresh Token: Refresh Token Not Found",
    ],
    "enrolment": ["totp", True],
    "a wrong code": [422, "mfa_verification_failed", "Invalid TOTP code entered"],
    "the right code": "bearer",
    "assurance": ["aal2", "aal2"],
    "an invitation by somebody": [403, "not_admin", "User not allowed"],
    "an invitation by a server": True,
    "the link of the invitation": [303, True],
    "an invitation of a member": [
        422,
        "email_exists",
        "A user with this email address has already been registered",
    ],
    "sign-out": None,
    "oneself after sign-out": [
        403,
        "session_not_found",
        "Session from session_id claim in JWT does not exist",
    ],
    "refresh after sign-out": [
        400,
        "refresh_token_not_found",
        "Invalid Refresh Token: Refresh Token Not Found",
    ],
    "rows after sign-out": [401, "42501", "permission denied for table profiles"],
}
# Nobody else can make a token that has expired.
FOR_WHO_HAS_THE_SIGNING_KEY = {"a row with an expired token", "oneself with an expired token"}
# supabase-js makes an error of its own of this answer.
EXPECTED_BY_JS = {"oneself after sign-out": [400, None, "Auth session missing!"]}


def supabase_py(stack: Stack) -> Diary:
    """The client that waits."""
    statuses: list[int] = []
    with httpx.Client(
        timeout=30, event_hooks={"response": [lambda r: statuses.append(r.status_code)]}
    ) as http:

        def make(key: str) -> Any:
            options = ClientOptions(auto_refresh_token=False, httpx_client=http)
            return create_client(stack.api_url, key, options)

        return asyncio.run(Life(stack, make, statuses).live())


def supabase_py_async(stack: Stack) -> Diary:
    """The client that awaits."""
    statuses: list[int] = []

    async def note(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    async def live() -> Diary:
        async with httpx.AsyncClient(timeout=30, event_hooks={"response": [note]}) as http:

            def make(key: str) -> Any:
                options = AsyncClientOptions(auto_refresh_token=False, httpx_client=http)
                return acreate_client(stack.api_url, key, options)

            return await Life(stack, make, statuses).live()

    return asyncio.run(live())


def supabase_js(stack: Stack, folder: Path) -> Diary:
    """The client of frontends, in Node."""
    signing_key = stack.signing_key()
    given = {
        "url": stack.api_url,
        "mail_url": stack.mail_url,
        "publishable_key": stack.publishable_key,
        "secret_key": stack.secret_key,
        "password": stacks.PASSWORD,
        "signing_key": signing_key and signing_key.document,
    }
    shutil.copy(SCRIPT, folder)
    done = subprocess.run(
        ["node", str(folder / SCRIPT.name), json.dumps(given)],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    diary: Diary = json.loads(done.stdout)
    return diary


@dataclass(frozen=True)
class Lived:
    """What one of the clients noted, and what it should have."""

    diary: Diary
    expected: Diary


@pytest.fixture(scope="module", params=["supabase-py", "supabase-py async", "supabase-js"])
def lived(request: pytest.FixtureRequest, stack: Stack) -> Lived:
    """The life of one of the clients."""
    expected = {step: told for step, told in EXPECTED.items() if may_be_taken(step, stack)}
    if request.param == "supabase-py":
        return Lived(supabase_py(stack), expected)
    if request.param == "supabase-py async":
        return Lived(supabase_py_async(stack), expected)
    folder = request.getfixturevalue("js_folder")
    return Lived(supabase_js(stack, folder), {**expected, **EXPECTED_BY_JS})


def may_be_taken(step: str, stack: Stack) -> bool:
    return step not in FOR_WHO_HAS_THE_SIGNING_KEY or stack.signing_key() is not None


@pytest.mark.parametrize("step", EXPECTED)
def test_each_step_of_a_life_ends_as_on_the_platform(lived: Lived, step: str) -> None:
    if step not in lived.expected:
        pytest.skip("the signing key of a project known by its URL stays with it")
    assert lived.diary[step] == lived.expected[step]


def test_nothing_happens_that_is_not_expected(lived: Lived) -> None:
    assert list(lived.diary) == list(lived.expected)
