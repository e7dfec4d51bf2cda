-- A table under row level security has a policy, or a comment that says why it has none.
select
  label as object,
  'No policy lets anybody in, and nothing says that this is meant.' as detail,
  'Create a policy, or say in the table''s comment why it has none: "No policy: …".' as remedy
from tables
where has_rls
  and not exists (select from policies where relation = tables.oid)
  and coalesce(comment, '') !~* '\mno policy\M'
