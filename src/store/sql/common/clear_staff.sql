delete from staff
where ledger_id = $1
