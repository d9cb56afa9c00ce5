-- A page of entries as one value, with the sealed records behind their commitments where they were not erased. Joining with || and
-- group_concat keeps bytes as they are and the cast makes them a blob again. A number that is
-- none cannot pass for one: its letters are no digits, its blanks are one number too many, and null makes the row vanish.
select cast(group_concat(
  seq || ' ' || length(leaf) || ' ' || length(bytes) || ' '
  || key_hash || ' ' || payload_hash || ' ' || reference_hash || ' ' || order_hash || ' '
  || person || ' ' || length(sealed) || ' ' || length(wrapped) || ' ' || leaf || bytes || sealed || wrapped, '') as blob)
from (
  select entry.seq, cast(entry.leaf as blob) as leaf, cast(entry.bytes as blob) as bytes, entry.key_hash,
    entry.payload_hash, entry.reference_hash, entry.order_hash, coalesce(vault.person, -1) as person,
    cast(coalesce(vault.sealed, x'') as blob) as sealed, cast(coalesce(vault.wrapped, x'') as blob) as wrapped
  from entry
  left join vault on vault.ledger_id = entry.ledger_id and vault.seq = entry.seq
  where entry.ledger_id = $1 and entry.seq >= $2
  order by entry.seq
  limit $3
)
