select {row_of_bucket}
from storage.buckets
where id = $1
