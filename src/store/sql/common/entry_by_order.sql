-- A scan: order numbers are random, and an index of them has no place on the durable path.
select seq
from entry
where ledger_id = $1 and order_hash = $2
order by seq
