select vault.seq, vault.person, vault.sealed, person_key.wrapped
from vault
join person_key on person_key.ledger_id = vault.ledger_id and person_key.person = vault.person
where vault.ledger_id = $1 and vault.seq >= $2
order by vault.seq
limit $3
