"""The Data API, by its stages and over HTTP."""
