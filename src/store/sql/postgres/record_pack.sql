-- The sealed records behind a page of entries as one value, in the order of the entries.
select string_agg(
  convert_to(seq || ' ' || person || ' ' || length(sealed) || ' ' || length(wrapped) || ' ', 'UTF8') || sealed || wrapped,
  '' order by seq)
from (
  select seq, person::bigint as person, sealed::bytea as sealed, wrapped::bytea as wrapped
  from vault
  where ledger_id = $1 and seq >= $2
  order by seq
  limit $3
) as page
