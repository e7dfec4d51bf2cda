-- Every function finds its names by their schemas, whatever the caller's search_path says.
select
  label as object,
  case
    when is_definer then 'Whoever calls it can put tables of his own in the place of those it names, '
      'and it reads them with its owner''s rights.'
    else 'What it reads depends on the caller''s search_path.'
  end as detail,
  format('alter %s set search_path = '''';', label) as remedy
from functions
where kind <> 'a' and not coalesce(settings @> array['search_path=""'], false)
