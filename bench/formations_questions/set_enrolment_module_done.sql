-- Sample: a client has done another module.
select e.user_id as caller, e.course_id as p_course_id, m.id as p_module_uuid
from public.user_courses as e
join public.course_modules as m on m.course_id = e.course_id and m.position = 15
order by random() limit 200
-- By hand
update public.user_courses as mine
set done_modules = array(
    select module_uuid from jsonb_to_recordset(kept.content -> 'modules') as m (module_uuid uuid)
    where module_uuid = any (mine.done_modules || %(p_module_uuid)s::uuid)),
  completed_at = case
    when cardinality(array_remove(done_modules, %(p_module_uuid)s)) + 1
      = jsonb_array_length(kept.content -> 'modules') then clock_timestamp() end,
  last_activity_at = clock_timestamp()
from public.course_versions as kept
where mine.user_id = %(caller)s and mine.course_id = %(p_course_id)s
  and kept.course_id = mine.course_id and kept.version = mine.course_version
  and kept.content -> 'modules' @> jsonb_build_array(
    jsonb_build_object('module_uuid', %(p_module_uuid)s::uuid))
returning mine.*
