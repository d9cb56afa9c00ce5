-- Tells whoever listens that a ledger has grown. Not in the transaction that writes: commits that notify wait for each other.
select pg_notify($1, '')
