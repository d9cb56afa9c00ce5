select size, witness, seconds, line
from cosignature
where ledger_id = $1
order by size, witness
