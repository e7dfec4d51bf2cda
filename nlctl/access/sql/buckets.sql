-- Every bucket; where a comment on a column says `bucket {name}: {column}/…`, what its folders are
-- called after.
select b.id, said.word[2] as leads_to
from storage.buckets b
left join lateral (
  select word
  from pg_description d
  cross join regexp_matches(d.description, 'bucket ([\w-]+): \{(\w+)\}/') as word
  where d.classoid = 'pg_class'::regclass and word[1] = b.id
  limit 1
) as said on true
order by b.id
