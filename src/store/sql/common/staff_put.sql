insert into staff (ledger_id, staff_id, name)
values ($1, $2, $3)
