select secret_id, url, kinds, next_seq, failures, try_at, trouble
from subscription
where ledger_id = $1
order by secret_id
