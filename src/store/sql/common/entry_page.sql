select seq, leaf, bytes
from entry
where ledger_id = $1 and seq >= $2
order by seq
limit $3
