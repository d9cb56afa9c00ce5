select bytes
from ceiling
where seq = $1
