"""Realtime: messages and changes of rows for open screens, as Supabase's service speaks them."""

from nlctl.local.realtime.app import create
from nlctl.local.realtime.config import Limits, RealtimeConfig

__all__ = ["Limits", "RealtimeConfig", "create"]
