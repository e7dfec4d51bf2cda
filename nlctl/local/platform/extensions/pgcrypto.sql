-- pgcrypto without C: hashing and passwords, under the names and with the results of the original.
-- Left out: encrypt and decrypt, the pgp_ functions and armor; DES and SHA-crypt passwords.
--
-- Bodies written as `return` are bound when they are created, so the extension can be moved to
-- another schema and called under any search_path.

-- Volatile, or the planner would try it out in branches that are never reached.
create function pgcrypto_refuse(message text, state text) returns bytea
language plpgsql volatile
as $$
begin
  raise exception using message = message, errcode = state;
end;
$$;
comment on function pgcrypto_refuse is 'Fail in the middle of an expression.';

create function digest(data bytea, type text) returns bytea
language sql immutable strict parallel safe
return case lower(type)
  when 'md5' then decode(md5(data), 'hex')
  when 'sha1' then pgcrypto_sha1(data)
  when 'sha224' then sha224(data)
  when 'sha256' then sha256(data)
  when 'sha384' then sha384(data)
  when 'sha512' then sha512(data)
  else pgcrypto_refuse(format('Cannot use "%s": No such hash algorithm', type), '22023')
end;
comment on function digest(bytea, text) is 'Hash bytes with md5, sha1 or sha224 to sha512.';

create function digest(data text, type text) returns bytea
language sql immutable strict parallel safe
return digest(convert_to(data, 'UTF8'), type);
comment on function digest(text, text) is 'Hash a text.';

create function pgcrypto_pad(key bytea, size integer, filling integer) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
  padded bytea := decode(repeat(lpad(to_hex(filling), 2, '0'), size), 'hex');
begin
  for n in 0 .. length(key) - 1 loop
    padded := set_byte(padded, n, get_byte(key, n) # filling);
  end loop;
  return padded;
end;
$$;
comment on function pgcrypto_pad is
  'A key filled up to `size` bytes, each combined with `filling`.';

create function hmac(data bytea, key bytea, type text) returns bytea
language sql immutable strict parallel safe
begin atomic
  select digest(
    pgcrypto_pad(fitted, size, 92) || digest(pgcrypto_pad(fitted, size, 54) || data, type), type)
  from
    (select case when lower(type) in ('sha384', 'sha512') then 128 else 64 end as size) as block,
    lateral (
      select case when length(key) > size then digest(key, type) else key end as fitted) as k;
end;
comment on function hmac(bytea, bytea, text) is 'Hash bytes under a key.';

create function hmac(data text, key text, type text) returns bytea
language sql immutable strict parallel safe
return hmac(convert_to(data, 'UTF8'), convert_to(key, 'UTF8'), type);
comment on function hmac(text, text, text) is 'Hash a text under a key.';

create function gen_random_uuid() returns uuid
language sql volatile strict parallel safe
return pg_catalog.gen_random_uuid();
comment on function gen_random_uuid is 'A random uuid.';

-- A random uuid is 128 strong random bits but for six, which lie in its bytes 7 and 9.
create function gen_random_bytes(count integer) returns bytea
language plpgsql volatile strict parallel safe
as $$
declare
  drawn bytea := '';
  sample bytea;
begin
  if count < 1 or count > 1024 then
    raise exception 'Length not in range' using errcode = '39000';
  end if;
  while length(drawn) < count loop
    sample := uuid_send(pg_catalog.gen_random_uuid());
    drawn := drawn || substr(sample, 1, 6) || substr(sample, 8, 1) || substr(sample, 10, 7);
  end loop;
  return substr(drawn, 1, count);
end;
$$;
comment on function gen_random_bytes is 'Up to 1024 bytes that nobody can guess.';

create function pgcrypto_bcrypt_text(data bytea) returns text
language sql immutable strict parallel safe
return translate(rtrim(encode(data, 'base64'), '='),
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789');
comment on function pgcrypto_bcrypt_text is 'Base64 in the alphabet of bcrypt.';

create function pgcrypto_bcrypt_salt(setting text) returns bytea
language sql immutable strict parallel safe
return decode(
  translate(substr(setting, 8, 22),
    './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') || '==',
  'base64');
comment on function pgcrypto_bcrypt_salt is 'The 16 bytes of salt in a bcrypt setting or hash.';

-- md5-crypt counts its six-bit letters from the lowest bit.
create function pgcrypto_md5_text(value bigint, letters integer) returns text
language sql immutable strict parallel safe
begin atomic
  select string_agg(
    substr('./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
      ((value >> (n * 6)) & 63)::integer + 1, 1), '' order by n)
  from generate_series(0, letters - 1) as n;
end;
comment on function pgcrypto_md5_text is 'A number in the alphabet of md5-crypt.';

create function pgcrypto_md5_crypt(password bytea, salt bytea) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
  mixed bytea := decode(md5(password || salt || password), 'hex');
  message bytea := password || '$1$' || salt;
  bits integer := length(password);
begin
  for n in 1 .. length(password) loop
    message := message || substr(mixed, (n - 1) % 16 + 1, 1);
  end loop;
  while bits > 0 loop
    message := message || case when bits % 2 = 1 then '\x00' else substr(password, 1, 1) end;
    bits := bits / 2;
  end loop;
  mixed := decode(md5(message), 'hex');
  for n in 0 .. 999 loop
    message := case when n % 2 = 1 then password else mixed end;
    if n % 3 > 0 then
      message := message || salt;
    end if;
    if n % 7 > 0 then
      message := message || password;
    end if;
    mixed := decode(
      md5(message || case when n % 2 = 1 then mixed else password end), 'hex');
  end loop;
  return mixed;
end;
$$;
comment on function pgcrypto_md5_crypt is 'The 16 bytes behind an md5-crypt hash.';

create function pgcrypto_md5_hash(digest bytea) returns text
language sql immutable strict parallel safe
begin atomic
  select string_agg(
    pgcrypto_md5_text(
      (get_byte(digest, n) << 16) | (get_byte(digest, n + 6) << 8)
      | get_byte(digest, case n when 4 then 5 else n + 12 end), 4), '' order by n)
    || pgcrypto_md5_text(get_byte(digest, 11), 2)
  from generate_series(0, 4) as n;
end;
comment on function pgcrypto_md5_hash is 'The 22 letters that an md5-crypt hash ends in.';

create function crypt(password text, salt text) returns text
language sql immutable strict parallel safe
return case
  when salt ~ '^\$2a\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{22}' then
    left(salt, 7) || pgcrypto_bcrypt_text(pgcrypto_bcrypt_salt(salt)) || pgcrypto_bcrypt_text(
      pgcrypto_bcrypt(
        convert_to(password, 'UTF8'), pgcrypto_bcrypt_salt(salt), substr(salt, 5, 2)::integer))
  when salt like '$1$%' then
    '$1$' || left(split_part(salt, '$', 3), 8) || '$' || pgcrypto_md5_hash(
      pgcrypto_md5_crypt(
        convert_to(password, 'UTF8'), convert_to(left(split_part(salt, '$', 3), 8), 'UTF8')))
  when salt like '$2a$%' or length(salt) < 2 then
    pgcrypto_refuse('invalid salt', '22023')::text
  else pgcrypto_refuse('crypt knows only bf and md5 on the local stack', '0A000')::text
end;
comment on function crypt is 'Hash a password, or check it against its hash: crypt(p, h) = h.';

create function gen_salt(type text, iter_count integer) returns text
language sql volatile strict parallel safe
return case
  when lower(type) = 'bf' and coalesce(nullif(iter_count, 0), 6) between 4 and 31 then
    format('$2a$%s$%s', lpad(coalesce(nullif(iter_count, 0), 6)::text, 2, '0'),
      pgcrypto_bcrypt_text(gen_random_bytes(16)))
  when lower(type) = 'md5' and iter_count in (0, 1000) then
    '$1$' || pgcrypto_md5_text(
      ('x' || encode(gen_random_bytes(6), 'hex'))::bit(48)::bigint, 8)
  when lower(type) in ('bf', 'md5') then
    pgcrypto_refuse('gen_salt: Incorrect number of rounds', '22023')::text
  when lower(type) in ('des', 'xdes', 'sha256crypt', 'sha512crypt') then
    pgcrypto_refuse('gen_salt knows only bf and md5 on the local stack', '0A000')::text
  else pgcrypto_refuse('gen_salt: Unknown salt algorithm', '22023')::text
end;
comment on function gen_salt(text, integer) is 'A new salt for crypt, as slow as iter_count says.';

create function gen_salt(type text) returns text
language sql volatile strict parallel safe
return gen_salt(type, 0);
comment on function gen_salt(text) is 'A new salt for crypt: bf or md5.';
