update subscription
set next_seq = $3, failures = $4, try_at = $5, trouble = $6
where ledger_id = $1 and secret_id = $2
