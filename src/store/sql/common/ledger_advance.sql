-- The head is the lock: no row changes where somebody else has written since.
update ledger
set size = $4, last_leaf = $5, last_at = $6, peaks = $7
where ledger_id = $1 and size = $2 and last_leaf = $3
