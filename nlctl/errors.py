"""What can go wrong, said in one line: what was and was not done, and the way out."""


class NlctlError(Exception):
    """A failure the operator can act on. `hint` is the way out, `exit_code` tells scripts which."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidInput(NlctlError):
    """An argument, a file or a setting that cannot be used as it is."""

    exit_code = 2


class ProjectNotFound(InvalidInput):
    """No project folder around the working directory."""


class UnknownTarget(InvalidInput):
    """A target that neither nlctl.toml nor the environment describes."""


class DatabaseUnreachable(NlctlError):
    """The database did not answer; nothing was changed."""


class ConfirmationNeeded(NlctlError):
    """A destructive command on a shared target was not confirmed; nothing was changed."""

    exit_code = 2
