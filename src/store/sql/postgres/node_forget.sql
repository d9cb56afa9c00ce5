delete from node
where ledger_id = $1 and seen_at <= $2
