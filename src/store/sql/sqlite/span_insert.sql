insert or fail into span (ledger_id, line_id, op, from_position, seq, place, to_position, of_seq)
values
