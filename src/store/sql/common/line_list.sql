select line_id, name
from line
where ledger_id = $1
order by line_id
