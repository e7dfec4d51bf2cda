-- Sample: the links of a module that a client follows, without a function.
select f.user_id as caller, m.builder_module_id as module_id
from public.user_formations as f
join public.course_modules as m on m.course_id = f.course_id and m.position = 3
where f.ended_at is null order by random() limit 200
-- Asked: resources?builder_module_id=eq.{module_id}&order=position
select * from public.resources where builder_module_id = %(module_id)s order by position
-- By hand
select * from public.resources where builder_module_id = %(module_id)s and deleted_at is null
order by position
