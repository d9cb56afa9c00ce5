delete from subject
where ledger_id = $1
