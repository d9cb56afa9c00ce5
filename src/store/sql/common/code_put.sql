insert into code (ledger_id, purpose, code_hash, subject)
values ($1, $2, $3, $4)
