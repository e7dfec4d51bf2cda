-- The object's version, held until the transaction ends.
select version, id::text
from storage.objects
where bucket_id = $1 and name = $2
for update
