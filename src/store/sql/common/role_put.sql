insert into staff_role (ledger_id, staff_id, role)
values ($1, $2, $3)
on conflict (ledger_id, staff_id, role) do nothing
