"""Access: who may do what, proved by execution inside a transaction that is rolled back."""

from nlctl.access.grid import LEGEND, Line, compare, parse, read, read_text
from nlctl.access.matrix import Matrix, Survey, measure, measure_in

__all__ = [
    "LEGEND",
    "Line",
    "Matrix",
    "Survey",
    "compare",
    "measure",
    "measure_in",
    "parse",
    "read",
    "read_text",
]
