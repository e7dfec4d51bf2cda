"""Seeds: the rows every environment starts with, kept as files and written by key."""

from nlctl.seeds.exports import export
from nlctl.seeds.files import SETS, allow
from nlctl.seeds.report import Change, Report
from nlctl.seeds.writes import apply, diff

__all__ = ["SETS", "Change", "Report", "allow", "apply", "diff", "export"]
