insert into subject (ledger_id, area, id, doc)
values ($1, $2, $3, $4)
on conflict (ledger_id, area, id)
do update set doc = excluded.doc
