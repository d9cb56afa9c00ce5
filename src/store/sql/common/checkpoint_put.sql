-- The same size was signed before: the note is the same, since the tree is.
insert into checkpoint (ledger_id, size, note)
values ($1, $2, $3)
on conflict (ledger_id, size) do nothing
