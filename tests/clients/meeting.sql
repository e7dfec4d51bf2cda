-- What two people need to meet: a room, notes that each sees his own of, an act from SQL,
-- and a folder of files for each of them.

create table public.meeting_notes (
  id int generated always as identity primary key,
  owner uuid not null,
  text text not null
);
alter table public.meeting_notes enable row level security;
create policy meeting_notes_select_own on public.meeting_notes for select to authenticated
  using (owner = (select auth.uid()));
grant select on public.meeting_notes to authenticated;
alter publication supabase_realtime add table public.meeting_notes;

create policy meeting_receive on realtime.messages for select to authenticated
  using (realtime.topic() like 'meeting:open:%');
create policy meeting_send on realtime.messages for insert to authenticated
  with check (realtime.topic() like 'meeting:open:%');

create policy meeting_select_own on storage.objects for select to authenticated
  using (
    bucket_id = 'meeting_files'
    and (storage.foldername(name))[1] = (select auth.uid()::text)
  );
create policy meeting_insert_own on storage.objects for insert to authenticated
  with check (
    bucket_id = 'meeting_files'
    and (storage.foldername(name))[1] = (select auth.uid()::text)
  );
create policy meeting_update_own on storage.objects for update to authenticated
  using (
    bucket_id = 'meeting_files'
    and (storage.foldername(name))[1] = (select auth.uid()::text)
  );
create policy meeting_delete_own on storage.objects for delete to authenticated
  using (
    bucket_id = 'meeting_files'
    and (storage.foldername(name))[1] = (select auth.uid()::text)
  );

create function public.act_in_meeting(p_ada uuid, p_ben uuid, p_topic text) returns void
language plpgsql
security definer -- whoever may call it may not write to realtime.messages
set search_path = ''
as $$
begin
  insert into public.meeting_notes (owner, text) values (p_ada, 'hers'), (p_ben, 'his');
  update public.meeting_notes set text = 'hers, mended' where owner = p_ada;
  perform realtime.send('{"from": "SQL"}', 'act', p_topic);
end;
$$;
grant execute on function public.act_in_meeting to service_role;
notify pgrst, 'reload schema';
