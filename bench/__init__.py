"""Benches: what is claimed about speed, measured beside something everybody knows."""
