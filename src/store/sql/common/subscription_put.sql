insert into subscription (ledger_id, secret_id, url, kinds, next_seq, failures, try_at, trouble)
values ($1, $2, $3, $4, $5, $6, $7, $8)
