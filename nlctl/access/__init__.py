"""Access: who may do what, proved by execution inside a transaction that is rolled back."""

from nlctl.access.grid import LEGEND, Line, compare, parse
from nlctl.access.matrix import Matrix, measure, measure_in

__all__ = ["LEGEND", "Line", "Matrix", "compare", "measure", "measure_in", "parse"]
