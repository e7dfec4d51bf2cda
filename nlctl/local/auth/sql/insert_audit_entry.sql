insert into auth.audit_log_entries (instance_id, id, payload, ip_address, created_at)
values (%s, %s, %s, %s, now())
