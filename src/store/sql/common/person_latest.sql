select coalesce(max(person), 0) as person
from person_key
where ledger_id = $1
