"""Realtime: messages and changes of rows for open screens, as Supabase's service speaks them."""
