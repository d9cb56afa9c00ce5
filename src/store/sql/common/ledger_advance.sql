-- The head is the lock: no row changes where somebody else has written since.
update ledger
set size = $3, last_leaf = $4, last_at = $5, peaks = $6
where ledger_id = $1 and size = $2
