-- Sample: a page of pending submissions for an admin, without a function.
select bench.id('person', 2) as caller from generate_series(1, 100)
-- Asked: formation_submissions?status=eq.pending&order=last_activity_at.desc,id.desc&limit=50
select * from public.formation_submissions where status = 'pending'
order by last_activity_at desc, id desc limit 50
-- By hand
select * from public.formation_submissions where status = 'pending'
order by last_activity_at desc, id desc limit 50
