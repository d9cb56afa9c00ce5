-- Runs are disjoint: seek the last one that starts at or before the position, and walk on. An overlap join costs three to thirty times that.
select from_position, to_position, state, by_seq
from run
where ledger_id = $1
  and line_id = $2
  and from_position >= coalesce(
    (select max(from_position) from run where ledger_id = $1 and line_id = $2 and from_position <= $3), $3)
  and from_position < $4
order by from_position
