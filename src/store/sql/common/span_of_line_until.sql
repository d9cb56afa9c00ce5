-- The posts of a line below a tree size, in the order in which they were posted.
select op, from_position, to_position, seq
from span
where ledger_id = $1 and line_id = $2 and seq < $3 and from_position < $5 and to_position > $4
order by seq, place
