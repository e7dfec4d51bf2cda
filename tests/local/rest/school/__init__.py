"""The Data API over a small school: what is planned, and what PostgreSQL makes of it."""
