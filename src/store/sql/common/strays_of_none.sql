-- Rows of ledgers that are not there. Numbers are given in order, so such rows lie before the first or behind the last.
select
  (select count(*) from entry where ledger_id < (select min(ledger_id) from ledger))
  + (select count(*) from entry where ledger_id > (select max(ledger_id) from ledger))
  + (select count(*) from vault where ledger_id < (select min(ledger_id) from ledger))
  + (select count(*) from vault where ledger_id > (select max(ledger_id) from ledger))
  + (select count(*) from span where ledger_id < (select min(ledger_id) from ledger))
  + (select count(*) from span where ledger_id > (select max(ledger_id) from ledger))
  + (select count(*) from run where ledger_id < (select min(ledger_id) from ledger))
  + (select count(*) from run where ledger_id > (select max(ledger_id) from ledger))
  + (select count(*) from line where ledger_id < (select min(ledger_id) from ledger))
  + (select count(*) from line where ledger_id > (select max(ledger_id) from ledger))
  + (select count(*) from subject where ledger_id < (select min(ledger_id) from ledger))
  + (select count(*) from subject where ledger_id > (select max(ledger_id) from ledger)) as strays
