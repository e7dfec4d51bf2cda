-- Sample: a client who composes starts another course.
select distinct author_id as caller, 'Un nouveau parcours' as p_title, 'À composer.' as p_description,
  gen_random_uuid() as new_id
from public.courses where course_type = 'custom' limit 200
-- By hand
select id from public.profiles where id = %(caller)s for no key update;
insert into public.courses (id, course_type, author_id, title, slug, description)
select %(new_id)s, 'custom', %(caller)s, %(p_title)s,
  'un-nouveau-parcours-' || left(%(new_id)s::text, 8), %(p_description)s
where 100 > (
  select count(*) from public.courses
  where author_id = %(caller)s and course_type = 'custom' and deleted_at is null)
returning *
