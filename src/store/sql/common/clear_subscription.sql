delete from subscription
where ledger_id = $1
