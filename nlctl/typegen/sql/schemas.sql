select nspname from pg_namespace where nspname = any (%(schemas)s)
