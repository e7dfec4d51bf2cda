-- Themes of the files whose name is free; one that somebody deleted may count as taken.
insert into public.themes (name, tokens)
select given.name, given.tokens
from jsonb_to_recordset(%(themes)s::jsonb) as given (name text, tokens jsonb)
where not exists (
  select from public.themes as theme
  where theme.name = given.name and (theme.deleted_at is null or %(respect_deleted)s)
)
returning name
