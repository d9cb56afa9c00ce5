select coalesce(max(person), 0) as person
from vault
where ledger_id = $1
