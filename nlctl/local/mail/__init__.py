"""The inbox: an SMTP door that keeps every letter here, and a page and JSON to read them."""

from nlctl.local.mail.app import create
from nlctl.local.mail.inbox import Inbox
from nlctl.local.mail.smtp import serve

__all__ = ["Inbox", "create", "serve"]
