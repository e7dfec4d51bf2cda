-- Texts that look as if an accent was damaged; nlctl.texts has the last word on each.
(
  select {place} as place, {column}::text as suspect
  from {table}
  where {column}::text ~ '\uFFFD|[ÂÃÅâ][^\u0020-\u007E]|[[:alpha:]]\?[[:alpha:]]|^\?[[:alpha:]]'
  limit 100
)
