"""Auth: accounts, sessions and the letters that prove an address, as GoTrue speaks them."""

from nlctl.local.auth.app import create
from nlctl.local.auth.config import AuthConfig

__all__ = ["AuthConfig", "create"]
