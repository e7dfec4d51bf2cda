"""Statements of the job queue."""
