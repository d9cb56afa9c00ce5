delete from code
where ledger_id = $1
