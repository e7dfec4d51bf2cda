-- Who a session is and how it is kept, as statements that say so again.
select
  case when current_user <> session_user then format('set role %I', current_user) end,
  format(
    'set client_connection_check_interval = %L', current_setting('client_connection_check_interval')
  )
