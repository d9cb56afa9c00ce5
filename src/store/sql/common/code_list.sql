select purpose, code_hash, subject
from code
where ledger_id = $1
order by purpose, code_hash
