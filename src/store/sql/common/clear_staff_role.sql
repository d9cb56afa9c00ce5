delete from staff_role
where ledger_id = $1
