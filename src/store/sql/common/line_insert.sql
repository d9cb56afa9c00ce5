insert into line (ledger_id, line_id, name)
values ($1, $2, $3)
