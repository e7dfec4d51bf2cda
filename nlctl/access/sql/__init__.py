"""Queries that are longer than a line, one a file."""
