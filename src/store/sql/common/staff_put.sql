insert into staff (ledger_id, staff_id, place, name)
values ($1, $2, (select count(*) from staff where ledger_id = $1), $3)
