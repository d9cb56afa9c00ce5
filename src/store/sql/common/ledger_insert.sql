insert into ledger (origin, slug, size, last_leaf, last_at, peaks)
values ($1, $2, 0, $3, -1, $4)
returning ledger_id
