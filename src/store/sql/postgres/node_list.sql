select node_id, version, rules, keys, seen_at
from node
where ledger_id = $1
order by node_id
