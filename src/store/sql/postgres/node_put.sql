-- By the server's clock: those of the nodes may differ.
insert into node (ledger_id, node_id, version, rules, keys, seen_at)
values ($1, $2, $3, $4, $5, (extract(epoch from now()) * 1000)::bigint)
on conflict (ledger_id, node_id)
do update set version = excluded.version, rules = excluded.rules, keys = excluded.keys, seen_at = excluded.seen_at
