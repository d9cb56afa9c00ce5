insert or fail into entry (ledger_id, seq, leaf, key_hash, payload_hash, reference_hash, order_hash, bytes)
values
