insert or fail into vault (ledger_id, seq, person, sealed, wrapped)
values
