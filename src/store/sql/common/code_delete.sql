-- Every code of a purpose whose subject begins with these words.
delete from code
where ledger_id = $1 and purpose = $2 and substr(subject, 1, length($3)) = $3
returning code_hash
