delete from staff_role
where ledger_id = $1 and staff_id = $2 and role = $3
