-- A page of posts as one value; what is no number shows as in entry_pack.
select cast(group_concat(concat(
  iif(typeof(line_id) = 'integer' and typeof(op) = 'integer' and typeof(from_position) = 'integer' and typeof(seq) = 'integer'
    and typeof(place) = 'integer' and typeof(to_position) = 'integer' and typeof(of_seq) = 'integer', '', '?'),
  line_id, ' ', op, ' ', from_position, ' ', seq, ' ', place, ' ', to_position, ' ', of_seq, ' '), '') as blob)
from (
  select line_id, op, from_position, seq, place, to_position, of_seq
  from span
  where ledger_id = $1 and (line_id, op, from_position, seq, place) > ($2, $3, $4, $5, $6)
  order by line_id, op, from_position, seq, place
  limit $7
)
