select leaf
from entry
where ledger_id = $1 and seq >= $2 and seq < $3
order by seq
