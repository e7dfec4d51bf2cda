"""The local stack: PostgreSQL and, on top of it, what a Supabase project offers. Loopback only."""
