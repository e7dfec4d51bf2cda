"""Tests: the same names again as what they are about."""
