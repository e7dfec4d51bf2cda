-- For the service, which may read what it writes.
{object_insert}
returning id::text
