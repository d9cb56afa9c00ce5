-- Persons are numbered in the order of the entries.
select person
from vault
where ledger_id = $1
order by seq desc
limit 1
