insert into nlctl.migrations
  (version, name, state, sha256, source, is_out_of_order, duration_ms, applied_by, error)
values
  (%(version)s, %(name)s, %(state)s, %(sha256)s, %(source)s, %(is_out_of_order)s,
   round(extract(epoch from clock_timestamp() - %(since)s::timestamptz) * 1000),
   %(applied_by)s, %(error)s)
on conflict (version) do update set
  name = excluded.name,
  state = excluded.state,
  sha256 = excluded.sha256,
  source = excluded.source,
  is_out_of_order = excluded.is_out_of_order,
  duration_ms = excluded.duration_ms,
  applied_by = excluded.applied_by,
  applied_at = excluded.applied_at,
  error = excluded.error
