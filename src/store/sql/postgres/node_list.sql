select node_id, version, rules, keys, seen_at
from node
where ledger_id = $1 and seen_at > $2
order by node_id
