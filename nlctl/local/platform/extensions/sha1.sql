create function "@extension@_sha1"(data bytea) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
  mask constant bigint := x'ffffffff'::bigint;
  padding integer := (119 - length(data) % 64) % 64;
  message bytea := data || '\x80' || decode(repeat('00', padding), 'hex')
    || int8send(length(data)::bigint * 8);
  h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[];
  a bigint;
  b bigint;
  c bigint;
  d bigint;
  e bigint;
  f bigint;
  k bigint;
  turned bigint;
begin
  for block in 0 .. length(message) / 64 - 1 loop
    for t in 0 .. 15 loop
      w[t] := ('x' || encode(substr(message, block * 64 + t * 4 + 1, 4), 'hex'))::bit(32)::bigint;
    end loop;
    for t in 16 .. 79 loop
      turned := w[t - 3] # w[t - 8] # w[t - 14] # w[t - 16];
      w[t] := ((turned << 1) | (turned >> 31)) & mask;
    end loop;

    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    for t in 0 .. 79 loop
      if t < 20 then
        f := (b & c) | ((mask # b) & d);
        k := 1518500249;
      elsif t < 40 then
        f := b # c # d;
        k := 1859775393;
      elsif t < 60 then
        f := (b & c) | (b & d) | (c & d);
        k := 2400959708;
      else
        f := b # c # d;
        k := 3395469782;
      end if;
      turned := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[t]) & mask;
      e := d;
      d := c;
      c := ((b << 30) | (b >> 2)) & mask;
      b := a;
      a := turned;
    end loop;
    h := array[
      (h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask,
      (h[5] + e) & mask];
  end loop;
  return (
    select string_agg(substr(int8send(word), 5), '' order by place)
    from unnest(h) with ordinality as words (word, place));
end;
$$;
comment on function "@extension@_sha1" is
  'SHA-1 (FIPS 180-4), which PostgreSQL itself does not offer.';

