-- Sample: a page of the formations that a prof accompanies: he names himself, as a page should.
select distinct prof_id as caller from public.user_formations
-- Asked: user_formations?prof_id=eq.{caller}&order=started_at.desc,id&limit=50
select * from public.user_formations where prof_id = %(caller)s order by started_at desc, id limit 50
-- By hand
select * from public.user_formations where prof_id = %(caller)s order by started_at desc, id limit 50
