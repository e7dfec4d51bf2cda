"""The queries of the Auth service."""
