select name, secret_id, staff_id, account, fund
from channel
where ledger_id = $1
order by name
