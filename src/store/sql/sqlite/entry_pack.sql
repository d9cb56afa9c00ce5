-- A page of entries as one value. Joining with concat and group_concat keeps bytes as they are and the cast makes them a blob again.
-- A column of another type, in which a whole row could be hidden, leaves a mark where a number is read.
select cast(group_concat(concat(
  iif(typeof(seq) = 'integer' and typeof(key_hash) = 'integer' and typeof(payload_hash) = 'integer'
    and typeof(reference_hash) = 'integer' and typeof(order_hash) = 'integer' and typeof(leaf) = 'blob' and typeof(bytes) = 'blob',
    '', '?'),
  seq, ' ', length(leaf), ' ', length(bytes), ' ', key_hash, ' ', payload_hash, ' ', reference_hash, ' ', order_hash, ' ',
  leaf, bytes), '') as blob)
from (
  select seq, leaf, bytes, key_hash, payload_hash, reference_hash, order_hash
  from entry
  where ledger_id = $1 and seq >= $2
  order by seq
  limit $3
)
