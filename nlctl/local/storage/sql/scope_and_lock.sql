-- One writer for each name, from its look at what stands there until it has written.
{scope},
  pg_advisory_xact_lock(hashtextextended($9 || '/' || $10, 0)) is null
