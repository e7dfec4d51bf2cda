select id::text
from storage.objects
where bucket_id = $1 and name = $2
