-- What SQL may know of the request, and whose rights apply, for one transaction.
select
  set_config('role', $1, true) is null,
  set_config('request.jwt.claim.role', $1, true) is null,
  set_config('request.jwt', $2, true) is null,
  set_config('request.jwt.claim.sub', $3, true) is null,
  set_config('request.jwt.claims', $4, true) is null,
  set_config('request.headers', $5, true) is null,
  set_config('request.method', $6, true) is null,
  set_config('request.path', $7, true) is null,
  set_config('storage.operation', $8, true) is null,
  set_config('storage.allow_delete_query', 'true', true) is null,
  set_config('statement_timeout', '30s', true) is null
