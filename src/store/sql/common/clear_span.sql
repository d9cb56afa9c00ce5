delete from span
where ledger_id = $1
