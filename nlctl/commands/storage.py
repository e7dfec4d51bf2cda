"""nlctl storage: the buckets that supabase/config.toml declares."""

from __future__ import annotations

from nlctl import console, project, targets
from nlctl.commands import options

app = options.group("storage", "Keep buckets as supabase/config.toml declares them.")


@app.command()
def sync(
    dry_run: options.DryRun = False,
    target: options.TargetName = None,
    json: options.Json = False,
) -> None:
    """Make the declared buckets and bring their settings up to date; the others stay.

    `nlctl up` does the same for the local stack.

    Example: nlctl storage sync --target production --dry-run
    """
    from nlctl import buckets
    from nlctl.local import settings

    here = project.find()
    url = targets.resolve(here, target).database_url
    outcomes = buckets.sync(url, settings.read(here).storage.declared(), dry_run=dry_run)
    if json:
        console.say_json({"dry_run": dry_run, "buckets": outcomes})
        return
    if not outcomes:
        console.say("supabase/config.toml declares no bucket.")
        return
    console.say_table(["bucket", "outcome"], list(outcomes.items()))
    if dry_run:
        console.note("Dry run: everything was rolled back.")
