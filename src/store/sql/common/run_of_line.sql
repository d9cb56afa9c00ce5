select from_position, to_position, state, by_seq
from run
where ledger_id = $1 and line_id = $2
order by from_position
