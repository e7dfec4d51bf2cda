-- Themes that exist under a name of the files, and differ.
update public.themes as theme
set tokens = given.tokens
from jsonb_to_recordset(%(themes)s::jsonb) as given (name text, tokens jsonb)
where theme.name = given.name and theme.deleted_at is null
  and theme.tokens is distinct from given.tokens
returning theme.name
