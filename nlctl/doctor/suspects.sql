-- Texts that look as if an accent was damaged; nlctl.texts has the last word on each.
(
  select {place} as place, {column}::text as suspect
  from {table}
  where {column}::text ~ '\uFFFD|[ÂÃ][\u0080-\u00BF]|â€|Å[“’”\u0093]|[[:alpha:]]\?[[:alpha:]]|^\?[[:alpha:]]'
  limit 100
)
