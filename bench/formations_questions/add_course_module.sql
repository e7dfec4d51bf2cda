-- Sample: a client drops a module at the sixth place of his course.
select author_id as caller, id as p_course_id, bench.id('palette', 7) as p_builder_module_id,
  5 as p_position
from public.courses where course_type = 'custom' order by random() limit 200
-- By hand
select m.id from public.builder_modules as m
join public.builder_subfamilies as s on s.id = m.subfamily_id and s.is_active and s.deleted_at is null
join public.builder_families as f on f.id = s.family_id and f.is_active and f.deleted_at is null
where m.id = %(p_builder_module_id)s and m.is_active and m.deleted_at is null
for share of m;
select id from public.courses
where id = %(p_course_id)s and author_id = %(caller)s and deleted_at is null
  and status <> 'archived'
for update;
update public.course_modules set position = position + 1
where course_id = %(p_course_id)s and position >= %(p_position)s;
insert into public.course_modules (course_id, builder_module_id, position)
select %(p_course_id)s, %(p_builder_module_id)s, %(p_position)s
where 100 > (select count(*) from public.course_modules where course_id = %(p_course_id)s)
returning *
