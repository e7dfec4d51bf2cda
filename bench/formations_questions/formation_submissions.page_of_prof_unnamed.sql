-- Sample: a page of what a prof accompanies, though he does not name himself in the filter.
select distinct prof_id as caller from public.user_formations
-- Asked: formation_submissions?order=last_activity_at.desc,id.desc&limit=50
select * from public.formation_submissions order by last_activity_at desc, id desc limit 50
-- By hand
select * from public.formation_submissions
where id = any (array(select submission_id from public.user_formations where prof_id = %(caller)s))
order by last_activity_at desc, id desc limit 50
