"""Settings: nlctl.toml and supabase/config.toml say what nlctl can use, and no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nlctl.doctor import secrets
from nlctl.doctor.findings import Finding, error, ok, warning
from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlctl.project import Project

OURS = "nlctl.toml"
PLATFORM = "supabase/config.toml"
KNOWN = {"default_project", "projects", "targets"}
EXPECTED: dict[str, tuple[type, str]] = {
    "project_id": (str, "a name"),
    "api.port": (int, "a number"),
    "api.schemas": (list, "a list of schemas"),
    "api.extra_search_path": (list, "a list of schemas"),
    "api.max_rows": (int, "a number"),
    "db.port": (int, "a number"),
    "db.major_version": (int, "a number"),
    "auth.site_url": (str, "a URL"),
    "auth.jwt_expiry": (int, "a number of seconds"),
    "storage.buckets": (dict, "tables of buckets"),
}


def check(project: Project) -> Iterator[Finding]:
    """What is wrong in either file, or that nothing is."""
    for name, problems in ((OURS, _check_ours), (PLATFORM, _check_platform)):
        try:
            found = list(problems(project))
        except InvalidInput as failure:
            found = [error(name, failure.message, "Mend its TOML.")]
        yield from found or [ok(name, "Every setting can be used.")]


def _check_ours(project: Project) -> Iterator[Finding]:
    if not (project.root / OURS).is_file():
        yield warning(OURS, "There is none.", "Add one that names the projects and targets.")
        return
    settings = project.settings
    for name in sorted(set(settings) - KNOWN):
        yield warning(
            OURS, f"{name} means nothing to nlctl.", f"Known: {', '.join(sorted(KNOWN))}."
        )
    for name, described in settings.get("projects", {}).items():
        yield from _check_project(project, name, described)
    for name, described in settings.get("targets", {}).items():
        yield from _check_target(project, name, described)
    yield from _check_secrets(project, OURS)


def _check_project(project: Project, name: str, described: Any) -> Iterator[Finding]:
    folder = described.get("migrations") if isinstance(described, dict) else None
    if not isinstance(folder, str):
        yield error(OURS, f"Project {name} names no migrations.", 'Add: migrations = "folder".')
    elif not (project.root / folder).is_dir():
        yield error(
            OURS, f"Project {name} has no folder {folder}.", "Make it, or correct its name."
        )


def _check_target(project: Project, name: str, described: Any) -> Iterator[Finding]:
    if not isinstance(described, dict):
        yield error(OURS, f"Target {name} is not a table.", f"Write: [targets.{name}]")
        return
    known = {*project.settings.get("projects", {}), project.default_name}
    if described.get("project", project.default_name) not in known:
        yield error(
            OURS,
            f"Target {name} belongs to no known project.",
            f"Known: {', '.join(sorted(known))}.",
        )
    if not isinstance(described.get("production", True), bool):
        yield error(OURS, f"Target {name} is not clear about production.", "Say true or false.")


def _check_platform(project: Project) -> Iterator[Finding]:
    if not (project.root / PLATFORM).is_file():
        yield warning(PLATFORM, "There is none; defaults are used.", "Make one: supabase init")
        return
    for path, (kind, wanted) in EXPECTED.items():
        value = _look_up(project.platform_settings, path)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            yield error(PLATFORM, f"{path} is {value!r}.", f"It must be {wanted}.")
    yield from _check_secrets(project, PLATFORM)


def _check_secrets(project: Project, name: str) -> Iterator[Finding]:
    """Keys, and URLs with a password: both files are committed."""
    text = (project.root / name).read_text(encoding="utf-8")
    fix = "Move it to the environment or .env, and change it where it was used."
    for key in secrets.find_keys(text):
        yield error(name, f"Line {key.line} holds {key}.", fix)
    for number, line in enumerate(text.splitlines(), start=1):
        if any(urlsplit(word).password for word in line.split('"') if "://" in word):
            yield error(name, f"Line {number} holds a password.", fix)


def _look_up(settings: Mapping[str, Any], path: str) -> Any:
    value: Any = settings
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
