"""Migrations: SQL files applied once, in order, with a history the Supabase CLI shares."""
