-- People write their user metadata themselves, so no right follows from it.
select
  label as object,
  'It reads user metadata, which people write themselves.' as detail,
  'Ask a table that only staff write, or app_metadata.' as remedy
from policies
where concat(reads, writes) ~ '\m(raw_)?user_meta_?data\M'
