select vault.sealed, person_key.wrapped, vault.person
from vault
join person_key on person_key.ledger_id = vault.ledger_id and person_key.person = vault.person
where vault.ledger_id = $1 and vault.seq = $2
