delete from line
where ledger_id = $1
