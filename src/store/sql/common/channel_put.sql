insert into channel (ledger_id, name, secret_id, staff_id, account, fund)
values ($1, $2, $3, $4, $5, $6)
