select staff_id, name
from staff
where ledger_id = $1
order by place
