insert into run (ledger_id, line_id, from_position, to_position, state, by_seq)
values ($1, $2, $3, $4, $5, $6)
on conflict (ledger_id, line_id, from_position)
do update set to_position = excluded.to_position, state = excluded.state, by_seq = excluded.by_seq
