insert into cosignature (ledger_id, size, witness, seconds, line)
values ($1, $2, $3, $4, $5)
on conflict (ledger_id, size, witness)
do nothing
