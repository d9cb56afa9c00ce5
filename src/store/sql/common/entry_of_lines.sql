-- Entries below a tree size that posted to a fund's line or to its fee line, each once, in order.
select seq, leaf, bytes
from entry
where ledger_id = $1
  and seq >= $4
  and seq < $5
  and seq in (select seq from span where ledger_id = $1 and line_id in ($2, $3))
order by seq
limit $6
