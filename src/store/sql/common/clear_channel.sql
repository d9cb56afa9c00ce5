delete from channel
where ledger_id = $1
