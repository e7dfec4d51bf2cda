-- Resources: a file is uploaded before it is attached; one that nobody attaches goes after a day.

create function app.await_resource() returns trigger
language plpgsql
security definer -- Storage may not queue work
set search_path = ''
as $$
begin
  if not exists (
    select from public.resources where storage_path = new.name and deleted_at is null
  ) then
    perform app.enqueue(
      'remove-storage-object',
      jsonb_build_object('bucket', 'resources', 'name', new.name),
      p_queue => 'storage',
      p_run_at => clock_timestamp() + interval '1 day',
      p_dedupe_key => app.removal_key('resources', new.name));
  end if;
  return null;
end;
$$;
comment on function app.await_resource is 'Give a file a day to be attached.';

create trigger resources_await_added after insert on storage.objects
  for each row when (new.bucket_id = 'resources') execute function app.await_resource();
create trigger resources_await_moved after update of name, bucket_id on storage.objects
  for each row
  when (
    new.bucket_id = 'resources'
    and (old.bucket_id, old.name) is distinct from (new.bucket_id, new.name)
  )
  execute function app.await_resource();

create function app.stop_waiting() returns trigger
language plpgsql
security definer -- the queue is its owner's alone
set search_path = ''
as $$
declare
  path constant text := case tg_table_name
    when 'resources' then to_jsonb(new) ->> 'storage_path'
    else to_jsonb(old) ->> 'name'
  end;
begin
  -- A removal that began is not called off: whoever attaches the file then is refused.
  delete from procrastinate.procrastinate_jobs
  where queueing_lock = app.removal_key('resources', path)
    and status = 'todo' and scheduled_at is not null and attempts = 0;
  return null;
end;
$$;
comment on function app.stop_waiting is
  'What is attached stays; what is gone, or elsewhere, is waited for no longer.';

create trigger resources_keep_upload after insert on public.resources
  for each row when (new.kind = 'file') execute function app.stop_waiting();
create trigger resources_forget_deleted_upload after delete on storage.objects
  for each row when (old.bucket_id = 'resources') execute function app.stop_waiting();
create trigger resources_forget_moved_upload after update of name, bucket_id on storage.objects
  for each row
  when (
    old.bucket_id = 'resources'
    and (old.bucket_id, old.name) is distinct from (new.bucket_id, new.name)
  )
  execute function app.stop_waiting();
