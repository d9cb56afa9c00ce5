-- A page of entries as one value. The casts do nothing to columns of their own types; text in the place of a number, in which a whole row
-- could be hidden, is an error.
select string_agg(
  convert_to(seq || ' ' || length(leaf) || ' ' || length(bytes) || ' ' || key_hash || ' ' || payload_hash || ' '
  || reference_hash || ' ' || order_hash || ' ', 'UTF8') || leaf || bytes, '' order by seq)
from (
  select seq, leaf::bytea as leaf, bytes::bytea as bytes, key_hash::bigint as key_hash, payload_hash::bigint as payload_hash,
    reference_hash::bigint as reference_hash, order_hash::bigint as order_hash
  from entry
  where ledger_id = $1 and seq >= $2
  order by seq
  limit $3
) as page
