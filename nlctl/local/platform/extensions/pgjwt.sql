-- pgjwt: JSON Web Tokens signed with a shared secret.

create function url_encode(data bytea) returns text
language sql immutable strict parallel safe
return translate(encode(data, 'base64'), e'+/=\n', '-_');
comment on function url_encode is 'Base64 for URLs, unpadded.';

create function url_decode(data text) returns bytea
language sql immutable strict parallel safe
return decode(
  rpad(translate(data, '-_', '+/'), (length(data) + 3) / 4 * 4, '='), 'base64');
comment on function url_decode is 'The bytes behind base64 for URLs.';

create function algorithm_sign(signables text, secret text, algorithm text) returns text
language sql immutable parallel safe
return url_encode(hmac(signables, secret,
  case algorithm when 'HS256' then 'sha256' when 'HS384' then 'sha384' when 'HS512' then 'sha512'
    else coalesce(algorithm, '') end));
comment on function algorithm_sign is 'The signature over a token''s first two parts.';

create function sign(payload json, secret text, algorithm text default 'HS256') returns text
language sql immutable parallel safe
begin atomic
  select signables || '.' || algorithm_sign(signables, secret, algorithm)
  from (
    select url_encode(convert_to(format('{"alg":"%s","typ":"JWT"}', algorithm), 'UTF8'))
      || '.' || url_encode(convert_to(payload::text, 'UTF8')) as signables) as parts;
end;
comment on function sign(json, text, text) is 'A token that carries the payload.';

create function verify(
  token text, secret text, algorithm text default 'HS256',
  out header json, out payload json, out valid boolean
) returns setof record
language sql stable parallel safe
begin atomic
  select header, payload,
    signed and to_timestamp(coalesce((payload ->> 'nbf')::double precision, 0)) <= now()
      and coalesce(now() < to_timestamp((payload ->> 'exp')::double precision), true)
  from (
    select
      convert_from(url_decode(split_part(token, '.', 1)), 'UTF8')::json as header,
      convert_from(url_decode(split_part(token, '.', 2)), 'UTF8')::json as payload,
      split_part(token, '.', 3) = algorithm_sign(
        split_part(token, '.', 1) || '.' || split_part(token, '.', 2), secret, algorithm) as signed
  ) as parts;
end;
comment on function verify is 'A token''s two parts, and whether it is genuine and in its time.';
