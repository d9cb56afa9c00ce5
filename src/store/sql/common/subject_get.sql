select doc
from subject
where ledger_id = $1 and area = $2 and id = $3
