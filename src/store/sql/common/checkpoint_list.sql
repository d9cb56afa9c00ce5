select size, note
from checkpoint
where ledger_id = $1
order by size
