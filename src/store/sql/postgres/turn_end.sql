select pg_advisory_unlock(hashtext('mingzhang turn'), $1::integer)
