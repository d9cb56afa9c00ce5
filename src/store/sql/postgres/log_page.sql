-- A page of entries as one value, with the sealed records behind their commitments where they were not erased.
select string_agg(
  convert_to(seq || ' ' || length(leaf) || ' ' || length(bytes) || ' ' || key_hash || ' ' || payload_hash || ' '
  || reference_hash || ' ' || order_hash || ' ' || person || ' ' || length(sealed) || ' ' || length(wrapped) || ' ', 'UTF8')
  || leaf || bytes || sealed || wrapped, '' order by seq)
from (
  select entry.seq, entry.leaf, entry.bytes, entry.key_hash, entry.payload_hash, entry.reference_hash, entry.order_hash,
    coalesce(vault.person, -1) as person, coalesce(vault.sealed, '') as sealed, coalesce(vault.wrapped, '') as wrapped
  from entry
  left join vault on vault.ledger_id = entry.ledger_id and vault.seq = entry.seq
  where entry.ledger_id = $1 and entry.seq >= $2
  order by entry.seq
  limit $3
) as page
