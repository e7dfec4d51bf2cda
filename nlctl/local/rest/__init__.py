"""The Data API: tables and functions of PostgreSQL over HTTP, as PostgREST speaks it."""
