"""The command line: finds the command, runs it, and turns a failure into one line."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from nlctl import console
from nlctl.commands import (
    ci,
    db,
    doctor,
    gen,
    migrate,
    queue,
    rls,
    rules,
    seed,
    stack,
    storage,
    theme,
    worker,
)
from nlctl.errors import NlctlError, SystemRefused

app = typer.Typer(
    name="nlctl",
    help="Run, migrate, seed and operate the backend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # as options.group says
)
for command in (stack.up, stack.down, stack.status, stack.logs, stack.reset, doctor.doctor, ci.ci):
    app.command()(command)
app.add_typer(migrate.app)
app.add_typer(seed.app)
app.add_typer(theme.app)
app.add_typer(db.app)
app.add_typer(storage.app)
app.add_typer(rls.app)
app.add_typer(rules.app)
app.add_typer(gen.app)
app.add_typer(queue.app)
app.add_typer(worker.app)


def main() -> None:
    """Entry point of the console script."""
    console.prepare_streams()
    try:
        app()
    except NlctlError as error:
        _end(error)
    except OSError as error:
        _end(SystemRefused.because_of(error))
    except KeyboardInterrupt:
        console.note("Interrupted.")
        sys.exit(130)


def _end(error: NlctlError) -> NoReturn:
    console.say_error(error, as_json="--json" in sys.argv)
    console.annotate(error.message, error.place)
    sys.exit(error.exit_code)
