"""The queries of the Realtime service."""
