aud = %(aud)s and instance_id = '00000000-0000-0000-0000-000000000000'
and (email like %(pattern)s or raw_user_meta_data ->> 'full_name' ilike %(pattern)s
  or %(pattern)s = '%%%%')
