delete from subscription
where ledger_id = $1 and secret_id = $2
