"""What breaks each promise of nlctl/lints, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Offence:
    """What breaks a promise, the object that is named for it, and what mends it."""

    lint: str
    broken: str
    object: str
    mended: str


def policy(lint: str, wrong: str, right: str, table: str = "public.teams") -> Offence:
    return Offence(
        lint,
        f"create policy p on {table} for select to authenticated using ({wrong})",
        f"policy p on {table}",
        f"alter policy p on {table} using ({right})",
    )


def function(lint: str, body: str, mended: str) -> Offence:
    return Offence(lint, f"create function public.f() {body}", "function public.f()", mended)


OFFENCES = [
    Offence(
        "row_level_security_is_on",
        "create table public.t (id int primary key)",
        "table public.t",
        "alter table public.t enable row level security",
    ),
    Offence(
        "row_level_security_is_on",
        "create table app.t (id int primary key); create policy p on app.t using (id = 1)",
        "table app.t",
        "alter table app.t enable row level security",
    ),
    Offence(
        "policy_or_a_reason",
        "create table public.t (id int); alter table public.t enable row level security",
        "table public.t",
        "comment on table public.t is 'Counters. No policy: only servers count.'",
    ),
    Offence(
        "policy_or_a_reason",
        "create table public.t (id int); alter table public.t enable row level security",
        "table public.t",
        "create policy t_select_one on public.t for select to authenticated using (id = 1)",
    ),
    policy("policy_asks_once", "owner_id = auth.uid()", "owner_id = (select auth.uid())"),
    policy(
        "policy_asks_once",
        "owner_id = (select auth.uid()) or name = auth.jwt() ->> 'team'",
        "owner_id = (select auth.uid()) or name = (select auth.jwt()) ->> 'team'",
    ),
    policy(
        "policy_asks_once",
        "name = current_setting('app.team', true)",
        "name = (select current_setting('app.team', true))",
    ),
    policy(
        "policy_asks_once",
        "public.is_admin_or_owner((select auth.uid()))",
        "(select public.is_admin_or_owner((select auth.uid())))",
    ),
    policy(
        "policy_asks_once",
        "public.is_admin_or_owner(owner_id)",
        "name = 'a) auth.uid() (' and owner_id = any (array(select app.my_teams()))",
    ),
    policy(
        "policy_asks_once",
        "(storage.foldername(name))[1] = auth.uid()::text",
        "bucket_id = 'a' and (storage.foldername(name))[1] = (select auth.uid())::text",
        "storage.objects",
    ),
    policy(
        "policy_asks_once",
        "id = any (array(select team_id from public.members where user_id = auth.uid()))",
        "id = any (array(select team_id from public.members where user_id = (select auth.uid())))",
    ),
    policy(
        "membership_is_a_set",
        "id in (select team_id from public.members where user_id = (select auth.uid()))",
        "id = any (array(select app.my_teams()))",
    ),
    policy(
        "membership_is_a_set",
        "exists (select from public.members where team_id = id and user_id = (select auth.uid()))",
        "exists (select from public.members where user_id = (select auth.uid()))",
    ),
    policy(
        "membership_is_a_set",
        "(select auth.uid()) in (select user_id from public.members where team_id = id)",
        "id = any (array(select team_id from public.members where user_id = (select auth.uid())))",
    ),
    function(
        "search_path_is_pinned",
        "returns int language sql security definer as 'select 1'",
        "alter function public.f set search_path = ''",
    ),
    function(
        "search_path_is_pinned",
        "returns int language sql set search_path = public as 'select 1'",
        "alter function public.f set search_path = ''",
    ),
    function(
        "public_executes_nothing",
        "returns int language sql as 'select 1'; grant execute on function public.f to public",
        "revoke execute on function public.f from public",
    ),
    Offence(
        "everything_has_a_comment",
        "create table public.t (id int)",
        "table public.t",
        "comment on table public.t is 'Things.'",
    ),
    Offence(
        "everything_has_a_comment",
        "create view app.v as select 1 as one",
        "view app.v",
        "comment on view app.v is 'One.'",
    ),
    function(
        "everything_has_a_comment",
        "returns int language sql as 'select 1'",
        "comment on function public.f is 'One.'",
    ),
    Offence(
        "everything_has_a_comment",
        "create type public.mood as enum ('well')",
        "type public.mood",
        "comment on type public.mood is 'How it goes.'",
    ),
    Offence(
        "view_runs_as_its_reader",
        "create view public.v as select * from public.profiles",
        "view public.v",
        "alter view public.v set (security_invoker = on)",
    ),
    Offence(
        "view_runs_as_its_reader",
        "create view app.v as select 1 as one; grant select on app.v to authenticated",
        "view app.v",
        "revoke select on app.v from authenticated",
    ),
    Offence(
        "foreign_key_has_an_index",
        "create table public.t (team_id uuid references public.teams (id))",
        "constraint t_team_id_fkey on public.t",
        "create index on public.t (team_id)",
    ),
    Offence(
        "foreign_key_has_an_index",
        "create table public.t (id int, team_id uuid references public.teams (id)); "
        "create index on public.t (id, team_id); create index on public.t (team_id) where id = 1",
        "constraint t_team_id_fkey on public.t",
        "create index on public.t (team_id) where team_id is not null",
    ),
    policy("policy_column_has_an_index", "name = 'a'", "owner_id = (select auth.uid())"),
    Offence(
        "policy_column_has_an_index",
        "create policy p on public.teams for select to authenticated "
        "using (owner_id = (select auth.uid()) and name = 'a'); "
        "create index on public.teams (id, name)",
        "policy p on public.teams",
        "create index on public.teams (owner_id, name)",
    ),
    Offence(
        "visitors_get_what_is_listed",
        "grant select on public.teams to anon",
        "table public.teams",
        "revoke all on public.teams from anon",
    ),
    Offence(
        "visitors_get_what_is_listed",
        "grant update (name) on public.teams to public",
        "table public.teams",
        "revoke update (name) on public.teams from public",
    ),
    function(
        "visitors_get_what_is_listed",
        "returns int language sql as 'select 1'; grant execute on function public.f to anon",
        "revoke execute on function public.f from anon",
    ),
    policy(
        "user_metadata_decides_nothing",
        "(select auth.jwt() -> 'user_metadata' ->> 'team') = name",
        "(select auth.jwt() -> 'app_metadata' ->> 'team') = name",
    ),
    policy(
        "user_metadata_decides_nothing",
        "(select raw_user_meta_data ->> 'team' from auth.users where id = auth.uid()) = name",
        "(select raw_app_meta_data ->> 'team' from auth.users where id = auth.uid()) = name",
    ),
    policy(
        "storage_policy_names_its_bucket",
        "owner_id = (select auth.uid())::text",
        "bucket_id = 'avatars' and owner_id = (select auth.uid())::text",
        "storage.objects",
    ),
    Offence(
        "published_table_has_policies",
        "create table public.t (id int); alter publication supabase_realtime add table public.t",
        "table public.t",
        "alter table public.t enable row level security",
    ),
    Offence(
        "published_table_has_policies",
        "drop publication supabase_realtime; create publication supabase_realtime for all tables",
        "publication supabase_realtime",
        "drop publication supabase_realtime; create publication supabase_realtime",
    ),
    function(
        "change_has_a_where",
        "returns void language plpgsql as 'begin update public.teams set name = null; end'",
        "create or replace function public.f() returns void language plpgsql as "
        "'begin update public.teams set name = null where true; end'",
    ),
    function(
        "change_has_a_where",
        "returns void language sql as $$ -- where is it?\n"
        "  with gone as (delete from public.teams returning id) select 'where'; $$",
        "create or replace function public.f() returns void language sql as $$"
        "  insert into public.members values (null, null) on conflict (team_id, user_id)"
        "    do update set user_id = excluded.user_id;"
        "  select from public.teams for update; $$",
    ),
    function(
        "change_has_a_where",
        "returns void language sql begin atomic delete from public.teams; end",
        "create or replace function public.f() returns void language sql "
        "begin atomic delete from public.teams where name is null; end",
    ),
    function(
        "change_has_a_where",
        "returns setof public.teams language plpgsql as "
        "'begin return query delete from public.teams returning *; end'",
        "create or replace function public.f() returns setof public.teams language plpgsql as "
        "'begin return query delete from public.teams where name is null returning *; end'",
    ),
    function(
        "definer_asks_who_calls",
        "returns int language sql security definer as 'select 1'; "
        "grant execute on function public.f to authenticated",
        "alter function public.f security invoker",
    ),
    function(
        "definer_asks_who_calls",
        "returns uuid language sql security definer as 'select null::uuid'; "
        "grant execute on function public.f to authenticated",
        "create or replace function public.f() returns uuid language sql security definer as "
        "'select app.require_admin()'",
    ),
    Offence(
        "policy_is_not_always_true",
        "create policy p on public.teams for insert to authenticated with check (true)",
        "policy p on public.teams",
        "alter policy p on public.teams with check (owner_id = (select auth.uid()))",
    ),
    Offence(
        "policy_is_not_always_true",
        "create policy p on public.teams for update using (true) with check (name = 'a')",
        "policy p on public.teams",
        "alter policy p on public.teams to service_role",
    ),
    Offence(
        "one_permissive_policy",
        "create policy p on public.teams for select to authenticated using (name = 'a');"
        "create policy q on public.teams to authenticated using (name = 'b')",
        "table public.teams",
        "drop policy q on public.teams;"
        "create policy q on public.teams as restrictive to authenticated using (name = 'b')",
    ),
    Offence(
        "one_permissive_policy",
        "create policy p on public.teams for select to authenticated using (name = 'a');"
        "create policy q on public.teams for select using (name = 'b')",
        "table public.teams",
        "alter policy q on public.teams to anon",
    ),
    Offence(
        "table_has_a_primary_key",
        "create table public.t (id int)",
        "table public.t",
        "alter table public.t add primary key (id)",
    ),
    Offence(
        "index_stands_once",
        "create index again on public.teams (owner_id)",
        "index public.again",
        "drop index public.again; create index again on public.teams (owner_id) where name = 'a'",
    ),
    Offence(
        "index_stands_once",
        "create index again on public.teams (id)",
        "index public.again",
        "drop index public.again; create unique index on public.teams (name);"
        "create index again on public.teams (id) include (name)",
    ),
    Offence(
        "extension_is_out_of_reach",
        "create extension citext schema public",
        "extension citext",
        "alter extension citext set schema extensions",
    ),
    Offence(
        "extension_is_current",
        "create extension citext schema extensions version '1.4'",
        "extension citext",
        "alter extension citext update",
    ),
    Offence(
        "no_door_without_policies",
        "create materialized view public.m as select 1 as one; grant select on public.m to anon",
        "materialized view public.m",
        "revoke select on public.m from anon",
    ),
    Offence(
        "no_door_without_policies",
        "create foreign data wrapper w; create server s foreign data wrapper w;"
        "create foreign table public.far (id int) server s;"
        "grant select on public.far to authenticated",
        "foreign table public.far",
        "alter foreign table public.far set schema app",
    ),
    Offence(
        "no_view_of_accounts",
        "create view public.v with (security_invoker = true) as select email from auth.users;"
        "grant select on public.v to authenticated",
        "view public.v",
        "drop view public.v; create view public.v as select email from public.profiles",
    ),
    Offence(
        "no_catalogue_types",
        "create table public.t (kept regnamespace)",
        "table public.t",
        "alter table public.t alter column kept type text",
    ),
    Offence(
        "queue_has_policies",
        "create schema pgmq; create table pgmq.q_letters (id int)",
        "table pgmq.q_letters",
        "alter table pgmq.q_letters enable row level security",
    ),
    Offence(
        "reference_to_auth_by_key",
        "create table public.t (phone text references auth.users (phone))",
        "constraint t_phone_fkey on public.t",
        "alter table public.t drop column phone, add column id uuid references auth.users (id)",
    ),
    Offence(
        "public_bucket_is_not_listed",
        "insert into storage.buckets (id, name, public) values ('posters', 'posters', true);"
        "create policy p on storage.objects for select using (bucket_id = 'posters')",
        "policy p on storage.objects",
        "alter policy p on storage.objects to service_role",
    ),
]
