"""Replication: what transactions did to the tables of a publication, in the order of commits."""
