-- Library: members borrow | return items.

create schema app;

create function app.refuse(p_code text, p_message text, p_details text default null) returns void
language plpgsql as $$
begin
  -- case p_code when 'FORBIDDEN' then 403 is what the pages read
  raise exception '%', case p_code when 'FORBIDDEN' then 403 when 'INVALID' then 422 end;
end;
$$;

create function app.require_member() returns uuid language plpgsql as $$
begin
  perform app.refuse('FORBIDDEN', 'Deviens membre.');
  return auth.uid();
end;
$$;
comment on function app.require_member is 'The caller, a member. Refuses with FORBIDDEN.';

create type public.shelf as enum ('upper', 'lower');

create table public.items (
  id bigint generated always as identity primary key,
  label text not null default 'sans nom',
  shelf public.shelf,
  price numeric(10, 2)
);
comment on table public.items is 'What can be borrowed: <drills> & *saws*.';
comment on column public.items.label is 'As on the box | the lid.';
grant select on public.items to anon;
alter table public.items enable row level security;
create policy items_select_some on public.items for select to anon
  using (exists (select from public.items as other where other.id > items.id));

create table public.loans (
  id uuid primary key default gen_random_uuid(),
  item_id bigint not null references public.items (id) on delete cascade,
  borrower_id uuid references auth.users (id) on delete set null,
  status text not null default 'out',
  due_on date,
  constraint loans_status_known check (status in ('out', 'back')),
  constraint loans_due_soon check (due_on < '2100-01-01')
);
create unique index loans_one_open on public.loans (item_id) where status = 'out';
alter table public.loans enable row level security;
create policy loans_select_own on public.loans for select to authenticated
  using (borrower_id = (select auth.uid()));
create policy loans_update_own on public.loans for update to authenticated
  using (borrower_id = (select auth.uid())) with check (status = 'back');
create policy loans_limit on public.loans as restrictive to authenticated using (status = 'out');
grant select, update (status) on public.loans to authenticated;
grant select, insert, delete, truncate on public.loans to service_role;

alter publication supabase_realtime add table public.items;
create policy papers_read_own on storage.objects for select to authenticated
  using (bucket_id = 'papers' and (storage.foldername(name))[1] = (select auth.uid())::text);

create view public.open_loans with (security_invoker = true) as
select id from public.loans where status = 'out';
grant select on public.open_loans to authenticated;

create function app.broadcast_loan() returns trigger language plpgsql as $$
begin
  perform realtime.broadcast_changes(
    'loans:' || new.borrower_id, 'loan_changed', tg_op, tg_table_name, tg_table_schema, new, old);
  return null;
end;
$$;
comment on function app.broadcast_loan is 'Tell the borrower.';
create trigger loans_broadcast after update or insert on public.loans
  for each row when (new.status = 'out') execute function app.broadcast_loan();
create function app.greet() returns trigger language plpgsql as 'begin return null; end';
comment on function app.greet is 'Say welcome.';
create trigger "Greet Members" after insert on auth.users
  for each row execute function app.greet();
create policy loans_receive_own on realtime.messages for select to authenticated
  using ((select realtime.topic()) = 'loans:' || (select auth.uid()));

create function public.borrow_item(p_item_id bigint, p_due_on date default null)
returns public.loans language plpgsql as $$
declare
  loan public.loans;
begin
  perform app.require_member();
  if p_due_on < now() then
    perform app.refuse('INVALID', 'Choisis une date à venir.', 'due_on');
  end if;
  insert into public.loans (item_id, due_on) values (p_item_id, p_due_on) returning * into loan;
  return loan;
end;
$$;
comment on function public.borrow_item is 'Take an item home.';
revoke execute on function public.borrow_item from public;
grant execute on function public.borrow_item to authenticated;

create function public.find_items(p_words text) returns table (id bigint, label text)
language sql stable as $$ select id, label from public.items where label = p_words $$;

create table public."odd `b` | c" (id bigint primary key);
create type public."odd `t`" as enum ('a');
