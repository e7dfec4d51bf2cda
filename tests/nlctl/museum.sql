-- One of everything that drift can be found in.
create schema shop;
comment on schema shop is 'Where things are sold.';
grant usage on schema shop to anon, authenticated;

create extension citext with schema extensions;
create type shop.mood as enum ('glad', 'sad');
create domain shop.price as numeric(10, 2) not null constraint price_positive check (value > 0);
create type shop.size as (width integer, height integer);
create sequence shop.ticket_seq increment 1 cache 1;

create table shop.makers (
  id uuid primary key default gen_random_uuid(),
  name text not null
);
create table shop.items (
  id bigint generated always as identity primary key,
  maker_id uuid references shop.makers (id) on delete cascade,
  owner_id uuid references auth.users (id) on delete cascade,
  label text not null default 'thing',
  price shop.price default 1,
  mood shop.mood default 'glad',
  amount integer not null default 0,
  total integer generated always as (amount * 2) stored,
  constraint items_label_unique unique (label)
);
alter table shop.items add constraint items_amount_positive check (amount >= 0) not valid;
create table shop.notes (
  author text not null constraint notes_author_length check (char_length(author) < 100),
  "order" text collate "C"
);
create index notes_author_idx on shop.notes (author);
comment on table shop.items is 'What is for sale.';
comment on column shop.items.label is 'What is written on it.';
create index items_owner_id_idx on shop.items (owner_id);
create index items_cheap_idx on shop.items (price) where amount < 10;
alter table shop.items enable row level security;
create policy items_select_own on shop.items for select to authenticated
  using (owner_id = (select auth.uid()));
create policy items_insert_own on shop.items for insert to authenticated
  with check (owner_id = (select auth.uid()));
comment on policy items_select_own on shop.items is 'Each his own.';
grant select, insert on shop.items to authenticated;
grant update (label) on shop.items to authenticated;
grant usage on sequence shop.ticket_seq to authenticated;

create table shop.visits (
  visited_on date not null check (visited_on > '2020-01-01'::date),
  seen_at timestamptz default '2026-01-01 00:00:00+00',
  duration integer
) partition by range (visited_on);
create table shop.visits_2026 partition of shop.visits
  for values from ('2026-01-01') to ('2027-01-01');
create table shop.stays (
  during daterange,
  constraint stays_apart exclude using gist (during with &&) deferrable initially deferred
);
create table shop.old_notes () inherits (shop.notes);
create type shop.span as range (subtype = numeric);
create table shop."Odd ""names""" ("select" text default 'it''s \', "é" shop.mood[]);
grant select ("select") on shop."Odd ""names""" to anon;
create sequence shop.visit_seq as integer minvalue 5 start 10 owned by shop.visits.duration;

create view shop.offers with (security_invoker = true, security_barrier = true) as
  select i.id, i.label, m.name as maker
  from shop.items i join shop.makers m on m.id = i.maker_id;
grant select on shop.offers to anon;
create view shop.cheap as select label from shop.items where price < 10;
create materialized view shop.stock as
  select maker_id, count(*) as pieces from shop.items group by maker_id;
create unique index stock_maker_id_idx on shop.stock (maker_id);

create function shop.worth(p_amount integer, p_factor integer default 2) returns integer
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return p_amount * p_factor;
end;
$$;
comment on function shop.worth is 'What it is worth.';
revoke execute on function shop.worth from public;
grant execute on function shop.worth to authenticated;
create function shop.note() returns trigger language plpgsql set search_path = '' as $$
begin
  return new;
end;
$$;
create procedure shop.sweep() language sql as 'delete from shop.items where amount = 0';
create trigger items_note before update on shop.items
  for each row execute function shop.note();
create trigger users_note after update on auth.users
  for each row execute function shop.note();

create policy shop_files_read on storage.objects for select to authenticated
  using (bucket_id = 'shop' and owner_id = (select auth.uid()::text));
create policy shop_topic on realtime.messages for select to authenticated
  using ((select realtime.topic()) = 'shop');
alter publication supabase_realtime add table shop.items;
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values ('shop', 'shop', false, 1000, '{image/png}');
alter default privileges in schema shop grant select on tables to authenticated;
