select staff_id, role
from staff_role
where ledger_id = $1
order by staff_id, role
