-- Membership is a set that is asked for once: `in (select …)` and `exists` about the row hide the
-- index, and cost hundreds of times the query.
select
  label as object,
  case
    when tree ~ '\{SUBLINK :subLinkType [123]\M'
      then 'It looks the row up in a subquery, by in, any or all.'
    else 'A subquery in it depends on the row, and runs again for each.'
  end as detail,
  'Write column = any (array(select app.my_…())), with a stable security definer function that '
  'returns what the caller belongs to.' as remedy
from policies
where tree ~ '\{SUBLINK :subLinkType [123]\M'
  or (tree ~ '\{SUBLINK ' and tree ~ ':varlevelsup [1-9]')
