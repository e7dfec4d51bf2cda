"""The Storage service, a subject a file."""
