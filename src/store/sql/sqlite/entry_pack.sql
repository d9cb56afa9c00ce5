-- A page of entries as one value. Joining with concat and group_concat keeps bytes as they are and the cast makes them a blob again.
-- A number that is none cannot pass for one: its letters are no digits, and null or blanks are a number too few or too many.
select cast(group_concat(concat(
  seq, ' ', length(leaf), ' ', length(bytes), ' ', key_hash, ' ', payload_hash, ' ', reference_hash, ' ', order_hash, ' ',
  leaf, bytes), '') as blob)
from (
  select seq, cast(leaf as blob) as leaf, cast(bytes as blob) as bytes, key_hash, payload_hash, reference_hash, order_hash
  from entry
  where ledger_id = $1 and seq >= $2
  order by seq
  limit $3
)
