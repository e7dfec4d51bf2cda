"""The Data API as an ASGI app: who asks, what is asked, and the order in which it is refused."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nlctl.local.rest import body, errors, grammar, headers, media, openapi, preferences, response
from nlctl.local.rest.request import ANY, JSON, OPENAPI, WHOLE, Action, ApiRequest, Identity
from nlctl.local.tokens import Flaw, TokenRejected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.headers import Headers
    from nlctl.local.rest.openapi import Visible
    from nlctl.local.rest.request import Media, Preferences
    from nlctl.local.rest.response import Response
    from nlctl.local.rest.result import Result
    from nlctl.local.rest.schema import Schema
    from nlctl.local.tokens import Keyring

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

LEEWAY = 30
"""Seconds by which the clocks of those who sign may differ from ours."""
REMEMBERED = 1024
HEADS = 1024

_WRITES = {"POST": Action.INSERT, "PATCH": Action.UPDATE, "DELETE": Action.DELETE}
_RELATION_ACTIONS = {
    "GET": Action.READ,
    "HEAD": Action.READ,
    "OPTIONS": Action.OPTIONS,
    "PUT": Action.PUT,
    **_WRITES,
}
_FUNCTION_ACTIONS = {
    "GET": Action.CALL_READ_ONLY,
    "HEAD": Action.CALL_READ_ONLY,
    "POST": Action.CALL,
    "OPTIONS": Action.OPTIONS,
}
_ROOT_ACTIONS = {"GET": Action.DESCRIBE, "HEAD": Action.DESCRIBE, "OPTIONS": Action.OPTIONS}
_WITH_BODY = {"POST", "PATCH", "PUT", "DELETE"}
_CLAIM_FLAWS = {Flaw.claims, Flaw.expired, Flaw.not_yet, Flaw.issued_in_future}
_DESCRIBED = {OPENAPI, JSON, ANY}


class Backend(Protocol):
    """What plans and runs requests."""

    @property
    def config(self) -> RestConfig: ...

    @property
    def schema(self) -> Schema | None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def run(self, request: ApiRequest) -> Result: ...

    async def visible(self, request: ApiRequest) -> Visible: ...

    def methods(self, request: ApiRequest) -> Iterable[str]: ...


class DataApi:
    """One Data API over one database."""

    def __init__(self, backend: Backend, keyring: Keyring) -> None:
        self._backend = backend
        self._keyring = keyring
        self._known: dict[str, tuple[dict[str, Any], Identity]] = {}

    async def start(self) -> None:
        await self._backend.start()

    async def stop(self) -> None:
        await self._backend.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            answer = await self._answer(scope, receive)
            await _send(answer, send, is_head=scope["method"] == "HEAD")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        try:
            return await self._serve(scope, receive)
        except errors.ApiError as error:
            return response.of_error(error)

    async def _serve(self, scope: Scope, receive: Receive) -> Response:
        sent = headers.read(scope["headers"])
        identity = self._identify(sent.first("authorization"))
        if self._backend.schema is None:
            raise errors.cache_missing()
        config = self._backend.config
        has_body = scope["method"] in _WITH_BODY
        content = await _read(receive, config.max_body_bytes) if has_body else b""
        request = understand(scope, sent, content, identity, config)
        if request.action is Action.OPTIONS:
            return response.of_methods(self._backend.methods(request))
        if request.action is Action.DESCRIBE:
            return await self._describe(request)
        result = await self._backend.run(request)
        return response.of(request, result, scope["query_string"])

    async def _describe(self, request: ApiRequest) -> Response:
        if not _DESCRIBED.intersection(request.accept):
            raise errors.media_not_available(media.written(one) for one in request.accept)
        visible = await self._backend.visible(request)
        description = openapi.describe(visible, self._backend.config)
        return response.of_description(request, b"" if request.is_head else description)

    def _identify(self, authorization: str | None) -> Identity:
        """Whom the token names; without one, or without a role in it, the anonymous role."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return self._anonymous({})
        token = token.strip()
        try:
            claims = self._keyring.verify(token, leeway=LEEWAY)
        except TokenRejected as rejected:
            code = "PGRST303" if rejected.flaw in _CLAIM_FLAWS else "PGRST301"
            raise errors.token_refused(code, rejected.message, rejected.details) from rejected
        known = self._known.get(token)
        if known is not None and known[0] is claims:
            return known[1]
        return self._remember(token, claims)

    def _remember(self, token: str, claims: dict[str, Any]) -> Identity:
        self._check_audience(claims.get("aud"))
        identity = self._anonymous(claims) if "role" not in claims else _identity(claims)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[token] = (claims, identity)
        return identity

    def _anonymous(self, claims: dict[str, Any]) -> Identity:
        role = self._backend.config.anon_role
        if role is None:
            raise errors.token_required()
        return _identity({**claims, "role": role})

    def _check_audience(self, audience: object) -> None:
        wanted = self._backend.config.audience
        named = audience if isinstance(audience, list) else [audience]
        if wanted is not None and audience not in (None, []) and wanted not in named:
            raise errors.token_refused("PGRST303", "JWT not in audience")


class Head(NamedTuple):
    """What a request says before its query string; clients say the same again and again."""

    method: str
    path: str
    action: Action
    schema: str
    name: str | None
    is_function: bool
    content_kind: Media
    preferences: Preferences
    accept: tuple[Media, ...]
    names_profile: bool


def understand(
    scope: Scope, sent: Headers, content: bytes, identity: Identity, config: RestConfig
) -> ApiRequest:
    """What is asked. What cannot be understood is refused in PostgREST's order."""
    head = _head(scope["method"], scope["path"], sent, config)
    takes_arguments = head.is_function and head.action is not Action.CALL
    query = grammar.parse(scope["query_string"], is_call=takes_arguments)
    query = grammar.met(query, sent.first("range") if head.method == "GET" else None)
    if head.action is Action.PUT and query.window != WHOLE:
        raise errors.put_with_window()
    payload = body.read(content, head.content_kind, head.action, query)
    if head.preferences.is_strict and head.preferences.unknown:
        raise errors.preferences_unknown(head.preferences.unknown)
    return ApiRequest(
        action=head.action,
        schema=head.schema,
        name=head.name,
        identity=identity,
        method=head.method,
        path=head.path,
        is_function=head.is_function,
        query=query,
        body=payload,
        preferences=head.preferences,
        accept=head.accept,
        headers=sent,
        names_profile=head.names_profile,
    )


@lru_cache(maxsize=HEADS)
def _head(method: str, path: str, sent: Headers, config: RestConfig) -> Head:
    name, is_function = _resource(path, config)
    schema, names_profile = _schema(method, sent, config)
    return Head(
        method=method,
        path=path,
        action=_action(method, name, is_function=is_function),
        schema=schema,
        name=name,
        is_function=is_function,
        content_kind=media.decode(sent.first("content-type") or JSON.mime),
        preferences=preferences.parse(
            sent.prefer, may_override_transaction=config.may_override_transaction
        ),
        accept=media.accepted(sent.first("accept")),
        names_profile=names_profile,
    )


def _resource(path: str, config: RestConfig) -> tuple[str | None, bool]:
    """The name of a relation, or of a function and True."""
    match path.split("/")[1:]:
        case [""]:
            return _root(config)
        case ["rpc", name]:
            return name, True
        case [name]:
            return name, False
    raise errors.path_invalid()


def _root(config: RestConfig) -> tuple[str | None, bool]:
    if config.openapi_mode == "disabled":
        raise errors.root_disabled()
    return config.root_function, config.root_function is not None


def _schema(method: str, sent: Headers, config: RestConfig) -> tuple[str, bool]:
    """The schema, and whether the answer tells it: where there is a choice, or one was made."""
    wanted = sent.first("content-profile" if method in _WITH_BODY else "accept-profile")
    if wanted is None:
        return config.schemas[0], len(config.schemas) > 1
    if wanted not in config.schemas:
        raise errors.schema_not_exposed(wanted, config.schemas)
    return wanted, True


def _action(method: str, name: str | None, *, is_function: bool) -> Action:
    if is_function:
        action = _FUNCTION_ACTIONS.get(method)
        if action is None:
            raise errors.method_not_for_functions(method)
        return action
    action = (_ROOT_ACTIONS if name is None else _RELATION_ACTIONS).get(method)
    if action is None:
        raise errors.method_not_supported(method)
    return action


def _identity(claims: Mapping[str, Any]) -> Identity:
    """Escaped to ASCII, so that no claim is a text that the database could not take."""
    role = claims["role"]
    name = role if isinstance(role, str) else json.dumps(role)
    if not name or "\0" in name:
        raise errors.role_unknown(name)
    return Identity(name, json.dumps(claims, separators=(",", ":")))


async def _read(receive: Receive, limit: int) -> bytes:
    """The whole body, up to the limit."""
    content = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.client_gone()
        content += message.get("body", b"")
        if len(content) > limit:
            raise errors.body_too_large(limit)
        if not message.get("more_body", False):
            return bytes(content)


async def _send(answer: Response, send: Send, *, is_head: bool) -> None:
    framed = response.framed(answer, is_head=is_head)
    start = {"type": "http.response.start", "status": framed.status, "headers": framed.headers}
    await send(start)
    await send({"type": "http.response.body", "body": framed.body})
