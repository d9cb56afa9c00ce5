select ledger_id, origin, slug, size, last_leaf, last_at, peaks
from ledger
order by ledger_id
