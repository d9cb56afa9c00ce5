select seq, bytes
from ceiling
where seq >= $1
order by seq
limit $2
