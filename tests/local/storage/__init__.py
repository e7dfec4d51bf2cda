"""The Storage service, section by section of the reference."""
