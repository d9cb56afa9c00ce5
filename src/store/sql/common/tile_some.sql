select level, place, hashes
from tile
where ledger_id = $1
  and (level, place) in (values ($2, $3), ($4, $5), ($6, $7), ($8, $9), ($10, $11), ($12, $13), ($14, $15), ($16, $17))
