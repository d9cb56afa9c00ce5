select distinct size
from cosignature
where ledger_id = $1 and size >= $2
order by size
limit $3
