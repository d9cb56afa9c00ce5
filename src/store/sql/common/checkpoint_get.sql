select note
from checkpoint
where ledger_id = $1 and size = $2
