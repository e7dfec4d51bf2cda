"""The catalogue of a database as values: read once, then compared, counted, drawn, described."""

from nlctl.catalogue.model import Catalogue
from nlctl.catalogue.reader import read

__all__ = ["Catalogue", "read"]
