-- Whether this connection is now the one that does something for a ledger; it is until it closes.
select pg_try_advisory_lock(hashtext('mingzhang'), $1::integer)
