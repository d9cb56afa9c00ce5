-- Sizes and times go together: a witness sees a log grow.
select witness, min(size), min(seconds), max(size), max(seconds)
from cosignature
where ledger_id = $1
group by witness
order by witness
