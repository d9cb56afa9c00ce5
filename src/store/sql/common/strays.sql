-- Rows of a ledger that no replay would write: before the first entry, behind the last, of a line that is not there.
select
  (select count(*) from entry where ledger_id = $1 and seq < 0) as early,
  (select count(*) from vault where ledger_id = $1 and seq < 0)
  + (select count(*) from vault where ledger_id = $1 and seq >= $2)
  + (select count(*) from run where ledger_id = $1 and line_id not in (select line_id from line where ledger_id = $1)) as strays,
  (select count(*) from subject where ledger_id = $1) as subjects
