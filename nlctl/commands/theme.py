"""nlctl theme: tokens as files, in the database, in the frontend's build, on a page to look at."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlctl import console, project, targets
from nlctl.commands import options
from nlctl.commands.output import Output, deliver

if TYPE_CHECKING:
    from nlctl.themes import Findings

app = options.group("theme", "Keep, check, publish and show design tokens.")

Name = Annotated[str, typer.Argument(help="Name or slug of a theme.")]
OptionalName = Annotated[
    str | None, typer.Argument(help="Name or slug of a theme; the default one if left out.")
]
Names = Annotated[list[str] | None, typer.Argument(help="Names or slugs; all if left out.")]


class Format(StrEnum):
    """What the frontend's build reads."""

    CSS = "css"
    JS = "js"
    JSON = "json"


@app.command("list")
def list_themes(target: options.TargetName = None, json: options.Json = False) -> None:
    """List the themes of the database; a star marks the active one.

    Example: nlctl theme list
    """
    from nlctl import themes

    stored = themes.fetch(targets.resolve(project.find(), target).database_url)
    if json:
        console.say_json(
            [{"name": t.name, "is_active": t.is_default, "tokens": len(t.flat)} for t in stored]
        )
        return
    rows = [["*" if theme.is_default else "", theme.name, len(theme.flat)] for theme in stored]
    console.say_table(["", "name", "tokens"], rows)


@app.command()
def show(
    name: OptionalName = None, target: options.TargetName = None, json: options.Json = False
) -> None:
    """Show the tokens of a theme of the database, the active one by default.

    Example: nlctl theme show "NotionLab sombre"
    """
    from nlctl import themes

    stored = themes.fetch(targets.resolve(project.find(), target).database_url)
    theme = themes.find(stored, name)
    if json:
        console.say_json(
            {"name": theme.name, "is_active": theme.is_default, "tokens": theme.tokens}
        )
        return
    console.say(f"{theme.name}{' (active)' if theme.is_default else ''}")
    console.say_table(["token", "value"], list(theme.flat.items()))


@app.command()
def pull(
    names: Names = None, target: options.TargetName = None, json: options.Json = False
) -> None:
    """Write the database's themes to seeds/themes/, one file each.

    Example: nlctl theme pull "NotionLab clair"
    """
    from nlctl import themes

    here = project.find()
    written = themes.pull(
        targets.resolve(here, target).database_url, here.seeds / "themes", names or ()
    )
    if json:
        console.say_json({"written": [path.name for path in written]})
        return
    for path in written:
        console.say(f"{path.name} written")
    if not written:
        console.say("The files already say what the database says.")


@app.command()
def push(
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Add new themes and leave the others alone.")
    ] = False,
    dry_run: options.DryRun = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Create and update the database's themes from seeds/themes/; the active one stays active.

    Example: nlctl theme push --dry-run
    """
    from nlctl import themes

    here = project.find()
    pushed = themes.push(
        targets.resolve(here, target).database_url,
        here.seeds / "themes",
        only_missing=only_missing,
        dry_run=dry_run,
    )
    if json:
        console.say_json({"dry_run": dry_run, **asdict(pushed)})
        return
    console.say_table(["theme", "outcome"], list(pushed.outcomes.items()))
    if pushed.activated:
        console.say(f"{pushed.activated} is now active, since no theme was.")
    if dry_run:
        console.note("Dry run: everything was rolled back.")


@app.command()
def diff(
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 when something differs.")
    ] = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Compare seeds/themes/ with the database, token by token.

    Example: nlctl theme diff --exit-code
    """
    from nlctl import themes

    here = project.find()
    stored = themes.fetch(targets.resolve(here, target).database_url)
    differences = themes.compare(themes.read(here.seeds / "themes"), stored)
    if json:
        console.say_json([asdict(difference) for difference in differences])
    elif differences:
        console.say_table(
            ["theme", "token", "file", "database"],
            [[d.theme, d.token or "(all)", _side(d.file), _side(d.database)] for d in differences],
        )
    else:
        console.say("The database says what the files say.")
    if exit_code and differences:
        raise typer.Exit(1)


@app.command()
def activate(name: Name, target: options.TargetName = None, json: options.Json = False) -> None:
    """Make a theme of the database the active one.

    Example: nlctl theme activate "NotionLab sombre"
    """
    from nlctl import themes

    theme = themes.activate(targets.resolve(project.find(), target).database_url, name)
    if json:
        console.say_json({"active": theme.name})
        return
    console.say(f"{theme.name} is active.")


@app.command()
def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Theme files; those of seeds/themes/ if left out.", metavar="[FILES]"),
    ] = None,
    json: options.Json = False,
) -> None:
    """Check grammar, missing tokens and WCAG 2.2 contrast; exit with 1 on an error.

    Example: nlctl theme lint seeds/themes/notionlab-clair.json
    """
    from nlctl import themes

    kept = themes.read(project.find().seeds / "themes")
    reference = themes.find(kept, None)
    wanted = [themes.read_file(path) for path in paths] if paths else kept
    findings = [themes.lint(theme, reference) for theme in wanted]
    if json:
        console.say_json([_describe(finding) for finding in findings])
    else:
        for finding in findings:
            _say_findings(finding)
    if any(finding.errors for finding in findings):
        raise typer.Exit(1)


@app.command()
def css(
    name: OptionalName = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="css: the :root fallback; js, json: the Tailwind map."),
    ] = Format.CSS,
    output: Output = None,
    json: options.Json = False,
) -> None:
    """Write what the frontend builds with: the :root fallback, or the map for Tailwind.

    Example: nlctl theme css notionlab-clair --output src/theme.css
    """
    from nlctl import themes

    theme = themes.find(themes.read(project.find().seeds / "themes"), name)
    if form is Format.CSS:
        text = themes.write_css(theme)
    else:
        text = themes.write_tailwind(theme, as_module=form is Format.JS)
    deliver(text, output, json=json)


@app.command()
def preview(names: Names = None, output: Output = None, json: options.Json = False) -> None:
    """Write one page that shows the themes on real components, side by side.

    Example: nlctl theme preview --output themes.html
    """
    from nlctl import themes

    kept = themes.read(project.find().seeds / "themes")
    wanted = [themes.find(kept, name) for name in names] if names else kept
    deliver(themes.render_preview(wanted), output, json=json)


def _say_findings(finding: Findings) -> None:
    console.say(f"{finding.name} ({finding.slug})")
    for pair in finding.contrasts:
        console.say(f"  {pair}")
    for warning in finding.warnings:
        console.say(f"  warning: {warning}")
    for error in finding.errors:
        console.say(f"  error: {error}")


def _describe(finding: Findings) -> dict[str, Any]:
    return {
        "slug": finding.slug,
        "name": finding.name,
        "errors": finding.errors,
        "warnings": finding.warnings,
        "contrasts": [
            {
                "front": pair.front,
                "back": pair.back,
                "ratio": round(pair.ratio, 2),
                "required": pair.required,
                "passes": pair.passes,
                "grade": pair.grade,
            }
            for pair in finding.contrasts
        ],
    }


def _side(value: Any) -> str:
    return "—" if value is None else str(value)
