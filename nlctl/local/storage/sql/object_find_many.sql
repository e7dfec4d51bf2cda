select name
from storage.objects
where bucket_id = $1 and name = any (array(select json_array_elements_text($2::json)))
