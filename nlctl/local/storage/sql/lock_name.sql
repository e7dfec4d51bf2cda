-- One writer for each name, from its look at what stands there until it has written.
select pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0)) is null
