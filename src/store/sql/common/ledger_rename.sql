update ledger
set slug = $2
where ledger_id = $1
