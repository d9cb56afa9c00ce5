-- A page of posts as one value; see entry_pack.
select convert_to(string_agg(
  line_id || ' ' || op || ' ' || from_position || ' ' || seq || ' ' || place || ' ' || to_position || ' ' || of_seq || ' ', ''
  order by line_id, op, from_position, seq, place), 'UTF8')
from (
  select line_id, op, from_position, seq, place, to_position::bigint as to_position, of_seq::bigint as of_seq
  from span
  where ledger_id = $1 and (line_id, op, from_position, seq, place) > ($2, $3, $4, $5, $6)
  order by line_id, op, from_position, seq, place
  limit $7
) as page
