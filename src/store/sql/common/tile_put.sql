insert into tile (ledger_id, level, place, hashes)
values ($1, $2, $3, $4)
on conflict (ledger_id, level, place)
do update set hashes = excluded.hashes
where length(excluded.hashes) > length(tile.hashes)
