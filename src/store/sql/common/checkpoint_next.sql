select size, note
from checkpoint
where ledger_id = $1 and size > $2
order by size
limit 1
