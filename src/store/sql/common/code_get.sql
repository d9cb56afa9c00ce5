select subject
from code
where ledger_id = $1 and purpose = $2 and code_hash = $3
