select {row_of_object}
from storage.objects
where bucket_id = $1 and name = $2
