"""Types for clients: what tables, views and functions look like to TypeScript and Python."""
