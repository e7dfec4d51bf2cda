-- A diary with every way in which an attempt can end, for a project without profiles.

create table public.notes (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references auth.users (id),
  text text not null
);
alter table public.notes enable row level security;
grant select, insert, update, delete on public.notes to authenticated;
create policy read_own on public.notes for select to authenticated
  using (owner_id = (select auth.uid()));
create policy write_own on public.notes for insert to authenticated
  with check (owner_id = (select auth.uid()));
create policy update_any on public.notes for update to authenticated using (true);

-- Belongs to whom its note belongs.
create table public.pages (
  number int generated always as identity primary key,
  note_id uuid not null references public.notes (id),
  mood text not null check (mood in ('good', 'bad'))
);
alter table public.pages enable row level security;
grant select on public.pages to authenticated;
create policy read_all on public.pages for select to authenticated
  using (exists (select from public.notes where id = note_id));

-- Keeps what is deleted, as a soft delete does.
create table public.kept (id int primary key, deleted_at timestamptz);
insert into public.kept values (1, null);
grant select, delete on public.kept to authenticated;
create function public.keep() returns trigger language plpgsql security definer as $$
begin
  update public.kept set deleted_at = now() where id = old.id;
  return null;
end;
$$;
create trigger keep before delete on public.kept for each row execute function public.keep();

-- Nobody changes it, whatever grants say.
create table public.carved (id int primary key, text text);
insert into public.carved values (1, 'in stone');
grant update, select on public.carved to authenticated;
create function public.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'It is carved in stone.' using errcode = 'P0009';
end;
$$;
create trigger refuse before update on public.carved
  for each row execute function public.refuse();

-- Has room for one row.
create table public.singles (text text);
create unique index on public.singles ((true));
insert into public.singles values ('only');
grant insert on public.singles to authenticated;

-- Cannot be filled by guessing.
create table public.riddles (answer int primary key check (answer = 42));
grant select on public.riddles to authenticated;

-- Its policy asks what its reader may not ask.
create function public.secret() returns boolean language sql as 'select true';
revoke execute on function public.secret from public, anon, authenticated;
grant execute on function public.secret to service_role;
create table public.muddled (id int primary key);
insert into public.muddled values (1);
alter table public.muddled enable row level security;
grant select on public.muddled to authenticated;
create policy read_secret on public.muddled for select to authenticated using (public.secret());

create view public.copies with (security_invoker = true) as select text from public.carved;
grant select on public.copies to authenticated;

-- Whose it is, a view's own column says; nobody writes a view of two tables.
create view public.margins with (security_invoker = true) as
select note.owner_id as user_id, page.number
from public.pages as page join public.notes as note on note.id = page.note_id;
grant select on public.margins to authenticated;

-- Is about a note; sends to a topic, and speaks of a folder, that are called after one.
create function public.read_note(p_note_id uuid) returns text language plpgsql as $$
declare
  note public.notes;
begin
  select * into note from public.notes where id = p_note_id;
  if not found then
    raise sqlstate 'PGRST' using
      message = '{"code": "NOT_FOUND", "message": "No."}';
  end if;
  perform realtime.send('{}', 'read', 'reading:' || p_note_id, true);
  return note.text;
end;
$$;
revoke execute on function public.read_note from public, anon, service_role;
grant execute on function public.read_note to authenticated;
create policy listen on realtime.messages for select to authenticated using (
  starts_with((select realtime.topic()), 'reading:') and extension = 'broadcast'
  and exists (select from public.notes where 'reading:' || id = (select realtime.topic())));
insert into storage.buckets (id, name) values ('sketches', 'sketches');
comment on column public.notes.text is 'Drawn in the bucket sketches: {note_id}/{file}.';
create policy sketch on storage.objects for select to authenticated using (
  bucket_id = 'sketches'
  and exists (select from public.notes where id::text = (storage.foldername(name))[1]));

create function public.greet(name text, loud boolean default false) returns text
language sql strict as 'select name';
revoke execute on function public.greet from public, anon, service_role;
grant execute on function public.greet to authenticated;
revoke execute on function public.keep, public.refuse from public, anon, authenticated;
create policy hear on realtime.messages for select to authenticated
  using ((select realtime.topic()) = 'notes:' || (select auth.uid()) and extension = 'broadcast');
insert into storage.buckets (id, name) values ('drawings', 'drawings');
create policy draw on storage.objects for all to authenticated
  using (bucket_id = 'drawings' and owner_id = (select auth.uid()::text));

-- Shown too, and called what nobody would expect.
create schema archive;
grant usage on schema archive to authenticated;
create table archive."10%s of ""all""" ("%(row)s" int primary key, "50%" text);
grant select on archive."10%s of ""all""" to authenticated;
create function archive."100%"("a%" int) returns int language sql as 'select 1';
revoke execute on function archive."100%" from public, anon, service_role;
grant execute on function archive."100%" to authenticated;
