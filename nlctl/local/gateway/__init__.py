"""The gateway: one port in front of every service, and who is admitted through it."""

from nlctl.local.gateway.app import create
from nlctl.local.gateway.keys import ApiKeys

__all__ = ["ApiKeys", "create"]
