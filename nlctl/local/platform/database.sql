-- What belongs to the database itself: a template does not pass it on, so this runs at every
-- start.
do $$
begin
  execute format('alter database %I owner to postgres', current_database());
  execute format('alter database %I set timezone to ''UTC''', current_database());
  execute format('alter database %I set app.settings.jwt_exp to ''3600''', current_database());
  execute format('grant all on database %I to dashboard_user', current_database());
end;
$$;

select _realtime.maintain_partitions();
