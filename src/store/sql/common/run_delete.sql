delete from run
where ledger_id = $1 and line_id = $2 and from_position = $3
