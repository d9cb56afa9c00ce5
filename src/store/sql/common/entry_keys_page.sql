-- All hashes, for the map in memory.
select seq, key_hash, payload_hash, reference_hash, order_hash
from entry
where ledger_id = $1 and seq >= $2
order by seq
limit $3
