delete from run
where ledger_id = $1
