"""Which paths belong to which service, and what each asks of a caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Route:
    """One service's part of the public address.

    `is_open` services take callers without an API key; `open_paths` are those a browser reaches
    by following a link, where no key can be sent. `root_is_private` keeps the description of the
    whole schema for privileged keys. `has_sockets` services take websockets too.
    """

    prefix: str
    is_open: bool = False
    open_paths: frozenset[str] = field(default_factory=frozenset)
    root_is_private: bool = False
    has_sockets: bool = False
    exposed_headers: tuple[str, ...] = ()

    @cached_property
    def raw_prefix(self) -> bytes:
        """`prefix` as it is sent."""
        return self.prefix.encode()

    @cached_property
    def exposed(self) -> bytes:
        """`exposed_headers` as CORS writes them."""
        return ", ".join(self.exposed_headers).encode()

    def needs_key(self, path: str) -> bool:
        """Whether `path` (without the prefix) is refused to callers without an API key."""
        return not self.is_open and path not in self.open_paths


ROUTES = {
    "rest": Route(
        "/rest/v1",
        is_open=True,  # as `supabase start` does; policies decide what a visitor sees
        root_is_private=True,
        exposed_headers=(
            "Content-Encoding", "Content-Location", "Content-Profile", "Content-Range",
            "Content-Type", "Date", "Location", "Preference-Applied", "Proxy-Status",
            "Range-Unit", "Retry-After", "Server", "Transfer-Encoding", "WWW-Authenticate",
        ),
    ),
    "auth": Route(
        "/auth/v1",
        open_paths=frozenset({
            "/verify", "/callback", "/authorize", "/.well-known/jwks.json",
            "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
            "/sso/saml/acs", "/sso/saml/metadata",
        }),
        exposed_headers=("Link", "Retry-After", "X-Sb-Error-Code", "X-Supabase-Api-Version",
                         "X-Total-Count"),
    ),
    "storage": Route(
        "/storage/v1",
        is_open=True,  # public and signed links carry no key; the service itself asks for a token
        exposed_headers=(
            "Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Length",
            "Content-Range", "ETag", "Last-Modified", "Location", "Tus-Complete", "Tus-Extension",
            "Tus-Max-Size", "Tus-Resumable", "Tus-Version", "Upload-Defer-Length",
            "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset",
        ),
    ),
    "realtime": Route("/realtime/v1", has_sockets=True),
}  # fmt: skip


def find(path: str) -> str | None:
    """The name of the service that `path` belongs to."""
    for name, route in ROUTES.items():
        if path.startswith(route.prefix) and path[len(route.prefix) :][:1] in ("", "/"):
            return name
    return None
