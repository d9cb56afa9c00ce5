-- Waits in order for the turn among nodes that contend for a ledger.
select pg_advisory_lock(hashtext('mingzhang turn'), $1::integer)
