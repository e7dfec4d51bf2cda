-- The platform loads safeupdate, which refuses an UPDATE or DELETE without WHERE in a function too.
select
  label as object,
  format('The Data API would refuse: %s', left(min(offending.change), 80)) as detail,
  'Say which rows: where true, if all of them are meant.' as remedy
from functions
cross join lateral regexp_replace(body, '--[^\n]*|/\*.*?\*/|''(?:[^'']|'''')*''', ' ', 'g') as code
cross join lateral regexp_split_to_table(code, ';') as statement
cross join lateral (
  select (regexp_match(
    statement,
    '(?:^|\m(?:begin|then|else|loop|atomic|query|in)\M|\()\s*'
    '((?:update\s+\S+(?:\s+(?:as\s+)?\w+)?\s+set\M|delete\s+from\M).*)', 'is'))[1] as change
) as offending
where offending.change !~* '\mwhere\M'
group by label
