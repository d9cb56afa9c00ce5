select hashes
from tile
where ledger_id = $1 and level = $2 and place = $3
