-- One level, folders and objects, from a cursor on.
select {row_of_listing}
from storage.search_v2(
  $1, $2, $3::integer, $4::integer, $5, sort_order => $6, sort_column => $7,
  sort_column_after => $8
)
