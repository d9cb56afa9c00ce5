-- The head of a ledger, which nobody else moves until this transaction ends.
select ledger_id, origin, slug, size, last_leaf, last_at, peaks
from ledger
where ledger_id = $1
for update
