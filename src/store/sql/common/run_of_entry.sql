-- Where an entry holds or has spent money, on one line, within the positions that its posts named.
select from_position, to_position, state, by_seq
from run
where ledger_id = $1 and line_id = $2 and from_position >= $3 and from_position < $4 and by_seq = $5
order by from_position
