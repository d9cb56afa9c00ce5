-- Entries with the sealed records behind their commitments, where they were not erased: one row an entry.
select entry.seq, entry.leaf, entry.bytes, vault.person, vault.sealed, person_key.wrapped
from entry
left join vault on vault.ledger_id = entry.ledger_id and vault.seq = entry.seq
left join person_key on person_key.ledger_id = vault.ledger_id and person_key.person = vault.person
where entry.ledger_id = $1 and entry.seq >= $2
order by entry.seq
limit $3
