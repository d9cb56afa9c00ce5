delete from tile
where ledger_id = $1
