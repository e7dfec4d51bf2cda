"""A person's whole life with supabase-py: what each step gives, and how each refusal reads."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pyotp
from postgrest.exceptions import APIError
from supabase_auth.errors import AuthError

from nlctl.local import tokens
from nlctl.local.tokens import Keyring
from tests import stacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stacks import Stack

Diary = dict[str, Any]


class MakeClient(Protocol):
    """Makes a supabase-py client of either kind, and the list of statuses it receives."""

    def __call__(self, key: str) -> Any: ...


@dataclass
class Life:
    """One person on one stack; works with the client that waits and with the one that awaits."""

    stack: Stack
    make_client: MakeClient
    statuses: list[int]
    diary: Diary = field(default_factory=dict)
    email: str = field(default_factory=lambda: stacks.new_address("ada"))

    async def live(self) -> Diary:
        """Everything in order."""
        self.ada = await _settled(self.make_client(self.stack.publishable_key))
        self.server = await _settled(self.make_client(self.stack.secret_key))
        await self._sign_up()
        await self._sign_in()
        await self._read_and_write()
        await self._outlive_a_token()
        await self._add_a_factor()
        await self._invite()
        await self._sign_out()
        return self.diary

    async def _sign_up(self) -> None:
        auth = self.ada.auth
        weak = {"email": self.email, "password": "abc"}
        await self._write("a weak password", lambda: auth.sign_up(weak))
        await self._write(
            "sign-up",
            lambda: auth.sign_up({**self._account, "options": {"data": {"first_name": "Ada"}}}),
            lambda answer: [answer.session, answer.user.user_metadata["first_name"]],
        )
        await self._write(
            "sign-in before the address is confirmed",
            lambda: auth.sign_in_with_password(self._account),
        )
        self.diary["the mailed link"] = await self._follow_link(self.ada, self.email)
        await self._write(
            "sign-up of a known address",
            lambda: auth.sign_up(self._account),
            lambda answer: [answer.session, answer.user.identities],
        )

    async def _sign_in(self) -> None:
        auth = self.ada.auth
        wrong = {**self._account, "password": "Wrong-horse-9"}
        await self._write("a wrong password", lambda: auth.sign_in_with_password(wrong))
        await self._write(
            "sign-in",
            lambda: auth.sign_in_with_password(self._account),
            lambda answer: [answer.user.email == self.email, answer.session.token_type],
        )
        await self._write(
            "the claims of the token",
            auth.get_claims,
            lambda answer: [answer["headers"]["alg"], answer["claims"]["role"]],
        )

    async def _read_and_write(self) -> None:
        await self._read()
        profiles = self.ada.table("profiles")
        mine = (await _settled(self.ada.auth.get_user())).user.id
        await self._write(
            "a row of one's own",
            lambda: profiles.update({"last_name": "Lovelace"}).eq("id", mine).execute(),
            lambda answer: [row["last_name"] for row in answer.data],
        )
        await self._write(
            "somebody else's row",
            lambda: profiles.update({"last_name": "Nobody"}).neq("id", mine).execute(),
            lambda answer: answer.data,
        )
        await self._write(
            "a column that is not theirs",
            lambda: profiles.update({"user_type_id": "owner"}).eq("id", mine).execute(),
        )
        tokens = (await _settled(self.ada.rpc("get_active_theme_tokens").execute())).data
        await self._write(
            "a row against the policies",
            lambda: self.ada.table("themes").insert({"name": "Rose", "tokens": tokens}).execute(),
        )
        await self._write(
            "an update of everything", lambda: profiles.update({"last_name": "X"}).execute()
        )
        await self._write(
            "a function",
            lambda: self.ada.rpc("get_my_permissions").execute(),
            lambda answer: isinstance(answer.data, dict),
        )
        await self._write("a function that refuses", lambda: self.ada.rpc("list_users").execute())

    async def _read(self) -> None:
        ada = self.ada
        await self._write(
            "rows of one's own",
            lambda: ada.table("profiles").select("first_name").execute(),
            lambda answer: answer.data,
        )
        await self._write(
            "a row with its parent and the parent's children",
            lambda: (
                ada.table("profiles")
                .select("first_name, user_types(label, role_permissions(user_type_id))")
                .limit(1, foreign_table="user_types.role_permissions")
                .single()
                .execute()
            ),
            lambda answer: answer.data,
        )
        await self._write(
            "a count",
            lambda: ada.table("user_types").select("*", count="exact", head=True).execute(),
            lambda answer: answer.count,
        )
        await self._write(
            "one row where there is none",
            lambda: ada.table("profiles").select("id").eq("first_name", "-").single().execute(),
        )
        await self._write(
            "a table that is not there", lambda: ada.table("profilez").select("*").execute()
        )
        await self._write(
            "a column that is not there", lambda: ada.table("profiles").select("nope").execute()
        )
        await self._write(
            "a relationship that is not there",
            lambda: ada.table("profiles").select("themes(*)").execute(),
        )

    async def _outlive_a_token(self) -> None:
        session = await _settled(self.ada.auth.get_session())
        expired = self._sign_expired(session.access_token)
        if self.stack.signing_key():
            await self._use_expired(expired)
        await self._write(
            "refresh after expiry",
            lambda: self.ada.auth.set_session(expired, session.refresh_token),
            lambda answer: [
                answer.session.refresh_token != session.refresh_token,
                _session_id(answer.session) == _session_id(session),
            ],
        )
        await self._write(
            "a refresh token that never was", lambda: self.ada.auth.refresh_session("abcdefghijkl")
        )

    async def _use_expired(self, token: str) -> None:
        late = await _settled(self.make_client(self.stack.publishable_key))
        late.postgrest.auth(token)
        await self._write(
            "a row with an expired token",
            lambda: late.table("profiles").select("id").execute(),
        )
        await self._write("oneself with an expired token", lambda: late.auth.get_user(token))

    async def _add_a_factor(self) -> None:
        mfa = self.ada.auth.mfa
        enrolled = await self._write(
            "enrolment",
            lambda: mfa.enroll({"factor_type": "totp", "friendly_name": "phone"}),
            lambda answer: [answer.type, answer.totp.uri.startswith("otpauth://totp/")],
        )
        code = pyotp.TOTP(enrolled.totp.secret)
        wrong = f"{(int(code.now()) + 500_000) % 1_000_000:06}"
        await self._write(
            "a wrong code",
            lambda: mfa.challenge_and_verify({"factor_id": enrolled.id, "code": wrong}),
        )
        await self._write(
            "the right code",
            lambda: mfa.challenge_and_verify({"factor_id": enrolled.id, "code": code.now()}),
            lambda answer: answer.token_type,
        )
        await self._write(
            "assurance",
            mfa.get_authenticator_assurance_level,
            lambda answer: [answer.current_level, answer.next_level],
        )

    async def _invite(self) -> None:
        guest = stacks.new_address("ben")
        session = await _settled(self.ada.auth.get_session())
        intruder = await _settled(self.make_client(self.stack.publishable_key))
        intruder.auth.admin._headers["Authorization"] = f"Bearer {session.access_token}"
        await self._write(
            "an invitation by somebody", lambda: intruder.auth.admin.invite_user_by_email(guest)
        )
        await self._write(
            "an invitation by a server",
            lambda: self.server.auth.admin.invite_user_by_email(guest),
            lambda answer: answer.user.email == guest,
        )
        self.diary["the link of the invitation"] = await self._follow_link(None, guest)
        await self._write(
            "an invitation of a member",
            lambda: self.server.auth.admin.invite_user_by_email(self.email),
        )

    async def _sign_out(self) -> None:
        session = await _settled(self.ada.auth.get_session())
        await self._write("sign-out", self.ada.auth.sign_out, lambda answer: answer)
        await self._write(
            "oneself after sign-out", lambda: self.ada.auth.get_user(session.access_token)
        )
        await self._write(
            "refresh after sign-out",
            lambda: self.ada.auth.refresh_session(session.refresh_token),
        )
        await self._write(
            "rows after sign-out", lambda: self.ada.table("profiles").select("id").execute()
        )

    def _sign_expired(self, token: str) -> str:
        """The same token, an hour too old, under the project's own key where that is known."""
        claims = jwt.decode(token, options={"verify_signature": False})
        late = {**claims, "exp": claims["iat"] - 60, "iat": claims["iat"] - 3660}
        return Keyring("", [self.stack.signing_key() or tokens.make_signing_key()]).sign(late)

    @property
    def _account(self) -> dict[str, str]:
        return {"email": self.email, "password": stacks.PASSWORD}

    async def _write(
        self,
        step: str,
        act: Callable[[], Any],
        tell: Callable[[Any], Any] = lambda _answer: "no refusal",
    ) -> Any:
        """Do something and note what came of it: what `tell` sees, or the refusal."""
        try:
            answer = await _settled(act())
        except (AuthError, APIError) as refusal:
            self.diary[step] = [self.statuses[-1], refusal.code, refusal.message]
            return None
        self.diary[step] = tell(answer)
        return answer

    async def _follow_link(self, client: Any, address: str) -> list[Any]:
        """Open the link of the newest letter, and finish what it starts where it is PKCE."""
        (link,) = set(re.findall(r"http\S+/verify\S+", self.stack.letter(address)["Text"]))
        answer = httpx.get(link, timeout=30)
        target = urlsplit(answer.headers["location"])
        if code := parse_qs(target.query).get("code"):
            parameters = {"auth_code": code[0]}
            given = await _settled(client.auth.exchange_code_for_session(parameters))
            token = given.session.access_token
        else:
            token = parse_qs(target.fragment)["access_token"][0]
        claims = jwt.decode(token, options={"verify_signature": False})
        return [answer.status_code, claims["email"] == address]


def _session_id(session: Any) -> str:
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    return str(claims["session_id"])


async def _settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
