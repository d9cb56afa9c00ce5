delete from node
where ledger_id = $1 and seen_at <= (extract(epoch from now()) * 1000)::bigint - $2
