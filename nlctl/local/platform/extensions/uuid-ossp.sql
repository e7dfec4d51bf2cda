-- uuid-ossp without C. Version 1 has no network card to name: its node is random, and marked so.

create function uuid_nil() returns uuid
language sql immutable strict parallel safe
return '00000000-0000-0000-0000-000000000000'::uuid;

create function uuid_ns_dns() returns uuid
language sql immutable strict parallel safe
return '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_url() returns uuid
language sql immutable strict parallel safe
return '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_oid() returns uuid
language sql immutable strict parallel safe
return '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_x500() returns uuid
language sql immutable strict parallel safe
return '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_generate_v4() returns uuid
language sql volatile strict parallel safe
return gen_random_uuid();
comment on function uuid_generate_v4 is 'A random uuid.';

create function "uuid-ossp_stamp"(data bytea, version integer) returns uuid
language sql immutable strict parallel safe
return encode(
  set_byte(
    set_byte(substr(data, 1, 16), 6, (get_byte(data, 6) & 15) | (version << 4)),
    8, (get_byte(data, 8) & 63) | 128),
  'hex')::uuid;
comment on function "uuid-ossp_stamp" is '16 bytes with version and variant written in.';

create function uuid_generate_v1mc() returns uuid
language sql volatile strict parallel safe
begin atomic
  -- 100 ns since 15 October 1582, then a random sequence and a random multicast node.
  select "uuid-ossp_stamp"(
    substr(since, 5, 4) || substr(since, 3, 2) || substr(since, 1, 2)
      || substr(chance, 10, 2)
      || set_byte(substr(chance, 11, 6), 0, get_byte(chance, 10) | 1),
    1)
  from (
    select int8send(
        (extract(epoch from clock_timestamp()) * 10000000)::bigint + 122192928000000000) as since,
      uuid_send(gen_random_uuid()) as chance) as parts;
end;
comment on function uuid_generate_v1mc is 'A uuid of the moment, from a random node.';

create function uuid_generate_v1() returns uuid
language sql volatile strict parallel safe
return uuid_generate_v1mc();
comment on function uuid_generate_v1 is 'A uuid of the moment.';

create function uuid_generate_v3(namespace uuid, name text) returns uuid
language sql immutable strict parallel safe
return "uuid-ossp_stamp"(
  decode(md5(uuid_send(namespace) || convert_to(name, 'UTF8')), 'hex'), 3);
comment on function uuid_generate_v3 is 'The uuid of a name, by MD5.';

create function uuid_generate_v5(namespace uuid, name text) returns uuid
language sql immutable strict parallel safe
return "uuid-ossp_stamp"(
  "uuid-ossp_sha1"(uuid_send(namespace) || convert_to(name, 'UTF8')), 5);
comment on function uuid_generate_v5 is 'The uuid of a name, by SHA-1.';
