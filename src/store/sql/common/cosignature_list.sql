select witness, seconds, line
from cosignature
where ledger_id = $1 and size = $2
order by witness
