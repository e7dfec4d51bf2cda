-- Loans NUMBER: a member takes an item home and brings it back.

create table public.loans_NUMBER (
  id uuid primary key default gen_random_uuid(),
  borrower_id uuid not null references auth.users (id) on delete cascade,
  due_on date not null,
  returned_at timestamptz,
  created_at timestamptz not null default now(),
  constraint loans_NUMBER_returned_after_start check (returned_at >= created_at)
);
comment on table public.loans_NUMBER is 'One item out with one member; open while returned_at is null.';
create index loans_NUMBER_borrower_id_idx on public.loans_NUMBER (borrower_id);

alter table public.loans_NUMBER enable row level security;
create policy loans_NUMBER_select_own on public.loans_NUMBER for select to authenticated
  using (borrower_id = (select auth.uid()));
grant select on public.loans_NUMBER to authenticated;
grant select, insert, update, delete on public.loans_NUMBER to service_role;

create function public.return_item_NUMBER(p_id uuid) returns public.loans_NUMBER
language plpgsql
security definer -- members may not write loans; this is their door
set search_path = ''
as $$
declare
  loan public.loans_NUMBER;
begin
  update public.loans_NUMBER set returned_at = now()
  where id = p_id and borrower_id = auth.uid() and returned_at is null
  returning * into loan;
  if not found then
    raise exception 'Cet objet est déjà rendu.' using errcode = 'P0002';
  end if;
  return loan;
end;
$$;
comment on function public.return_item_NUMBER is 'End a loan of the caller.';
revoke execute on function public.return_item_NUMBER from public;
grant execute on function public.return_item_NUMBER to authenticated;
