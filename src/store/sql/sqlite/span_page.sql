-- A page of posts as one value; quote() shows a number that is none.
select cast(group_concat(
  quote(line_id) || ' ' || quote(op) || ' ' || quote(from_position) || ' ' || quote(seq) || ' ' || quote(place) || ' '
  || quote(to_position) || ' ' || quote(of_seq) || ' ', '') as blob)
from (
  select line_id, op, from_position, seq, place, to_position, of_seq
  from span
  where ledger_id = $1 and (line_id, op, from_position, seq, place) > ($2, $3, $4, $5, $6)
  order by line_id, op, from_position, seq, place
  limit $7
)
