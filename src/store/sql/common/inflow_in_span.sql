-- Inflows (op 0) are disjoint and tile their line.
select from_position, to_position, seq
from span
where ledger_id = $1
  and line_id = $2
  and op = 0
  and from_position >= coalesce(
    (select max(from_position) from span where ledger_id = $1 and line_id = $2 and op = 0 and from_position <= $3), $3)
  and from_position < $4
order by from_position
