"""Supabase's images are told what config.toml says, and find each other by name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

import pytest

from nlctl.local import keys, settings, tokens
from nlctl.local.tokens import Keyring
from tests import containers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.local.settings import Settings
    from nlctl.project import Project
    from tests.containers import Service

SIGNING_KEY = tokens.make_signing_key()
CALLED = re.compile(r"(?:@|http://)([a-z][\w.-]*):(\d+)")


@pytest.fixture
def asked(project: Project) -> Settings:
    """What this project's config.toml asks for."""
    return settings.read(project)


@pytest.fixture
def services(asked: Settings) -> dict[str, Service]:
    """The services by their names."""
    return {each.name: each for each in containers.services(asked, [SIGNING_KEY])}


@pytest.fixture
def _no_engine() -> Iterator[None]:
    """Containers can be made and looked at, though nothing would run them."""
    with mock.patch("testcontainers.core.container.DockerClient"):
        yield


def made(service: Service) -> Any:
    return containers.container(service, mock.Mock())


def test_every_service_has_an_image_of_one_version(services: dict[str, Service]) -> None:
    assert services.keys() == containers.IMAGES.keys()
    assert all(re.search(r":v?\d[\w.]+$", image) for image in containers.IMAGES.values())


def test_whoever_is_called_is_there(services: dict[str, Service]) -> None:
    """Hosts and ports in what the services are told, and in the routes, are services' own."""
    told = [text for each in services.values() for text in each.environment.values()]
    said = " ".join([*told, *containers.PATHS.values()])
    called = {(host, int(port)) for host, port in CALLED.findall(said) if host != "localhost"}

    assert called
    assert called <= {(each.alias or each.name, each.port) for each in services.values()}


@pytest.mark.usefixtures("_no_engine")
def test_a_container_is_found_by_its_name(services: dict[str, Service]) -> None:
    assert made(services["auth"])._network_aliases == ["auth"]
    assert made(services["realtime"])._network_aliases == ["realtime-dev.supabase-realtime"]


@pytest.mark.usefixtures("_no_engine")
def test_only_what_tests_call_has_a_port_of_this_machine(
    asked: Settings, services: dict[str, Service]
) -> None:
    published = {name: made(each).ports for name, each in services.items()}

    assert published.pop("gateway") == {"8000": asked.api.port}
    assert published.pop("db") == {"5432": asked.db.port}
    assert published.pop("mail") == {"8025": asked.mail.port}
    assert all(port is None for ports in published.values() for port in ports.values())


@pytest.mark.usefixtures("_no_engine")
def test_a_container_has_its_variables_and_files(services: dict[str, Service]) -> None:
    database = made(services["db"])
    files = {path: content.decode() for content, path, _ in database._transferable_specs}

    assert database.image == containers.IMAGES["db"]
    assert database.env["POSTGRES_PASSWORD"] == "postgres"
    roles = files["/docker-entrypoint-initdb.d/init-scripts/99-roles.sql"]
    assert "alter user supabase_storage_admin with password 'postgres';" in roles


@pytest.mark.usefixtures("_no_engine")
def test_realtime_is_asked_after_its_tenant_with_a_key(services: dict[str, Service]) -> None:
    asking = made(services["realtime"])._wait_strategy

    assert asking._path == "/api/tenants/realtime-dev/health"
    assert asking._headers["Authorization"] == f"Bearer {keys.legacy_key('anon')}"


def test_auth_is_told_what_config_toml_says(asked: Settings, services: dict[str, Service]) -> None:
    told = services["auth"].environment

    assert told["GOTRUE_MAILER_AUTOCONFIRM"] == "false"
    assert told["GOTRUE_PASSWORD_MIN_LENGTH"] == "8"
    assert told["GOTRUE_PASSWORD_REQUIRED_CHARACTERS"].endswith("XYZ:0123456789")
    assert told["GOTRUE_URI_ALLOW_LIST"].split(",") == list(asked.auth.additional_redirect_urls)
    assert told["GOTRUE_SMTP_MAX_FREQUENCY"] == "1.0s"
    assert told["GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION"] == "true"
    assert told["GOTRUE_SECURITY_MANUAL_LINKING_ENABLED"] == "false"
    assert told["GOTRUE_MFA_TOTP_VERIFY_ENABLED"] == "true"
    assert told["API_EXTERNAL_URL"] == f"http://127.0.0.1:{asked.api.port}"


def test_all_believe_the_signing_key_and_the_secret(services: dict[str, Service]) -> None:
    [private, shared] = json.loads(services["auth"].environment["GOTRUE_JWT_KEYS"])
    assert (private, shared["kty"]) == (SIGNING_KEY.document, "oct")

    believed = {
        services["rest"].environment["PGRST_JWT_SECRET"],
        services["storage"].environment["JWT_JWKS"],
        services["realtime"].environment["API_JWT_JWKS"],
    }
    assert [json.loads(each) for each in believed] == [{"keys": [SIGNING_KEY.public(), shared]}]


def test_the_addresses_are_those_of_config_toml(asked: Settings) -> None:
    told = containers.addresses(asked)

    assert urlsplit(told.api_url).port == asked.api.port
    assert urlsplit(told.database_url).port == asked.db.port
    assert Keyring(asked.jwt_secret).verify(told.secret_key)["role"] == "service_role"


def test_the_gateway_takes_each_prefix_off(services: dict[str, Service]) -> None:
    [routes] = services["gateway"].files.values()
    routed = {each["routes"][0]["paths"][0]: each for each in json.loads(routes)["services"]}

    assert routed.keys() == containers.PATHS.keys()
    assert all(each["routes"][0]["strip_path"] for each in routed.values())
