"""The clients that frontends and servers use, unmodified, against the stack."""
