delete from channel
where ledger_id = $1 and name = $2
