select place, hashes
from tile
where ledger_id = $1 and level = $2
order by place desc
limit 1
