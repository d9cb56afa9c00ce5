-- A page of entries as one value.
select string_agg(
  convert_to(seq || ' ' || length(leaf) || ' ' || length(bytes) || ' ' || key_hash || ' ' || payload_hash || ' '
  || reference_hash || ' ' || order_hash || ' ', 'UTF8') || leaf || bytes, '' order by seq)
from (
  select seq, leaf, bytes, key_hash, payload_hash, reference_hash, order_hash
  from entry
  where ledger_id = $1 and seq >= $2
  order by seq
  limit $3
) as page
