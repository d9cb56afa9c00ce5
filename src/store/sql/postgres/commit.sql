-- A batch in one round trip. The head is the lock: where somebody else has written since, it matches no row and nothing is inserted.
with head as (
  update ledger
  set size = $4, last_leaf = $5, last_at = $6, peaks = $7
  where ledger_id = $1 and size = $2 and last_leaf = $3
  returning ledger_id
), entries as (
  insert into entry (ledger_id, seq, leaf, key_hash, payload_hash, reference_hash, order_hash, bytes)
  select head.ledger_id, new.*
  from head, unnest($8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[]) as new
), lines as (
  insert into line (ledger_id, line_id, name)
  select head.ledger_id, new.*
  from head, unnest($15::bigint[], $16::text[]) as new
), spans as (
  insert into span (ledger_id, line_id, op, from_position, seq, place, to_position, of_seq)
  select head.ledger_id, new.*
  from head, unnest($17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[]) as new
), gone as (
  delete from run
  using head, unnest($24::bigint[], $25::bigint[]) as old (line_id, from_position)
  where run.ledger_id = head.ledger_id and run.line_id = old.line_id and run.from_position = old.from_position
), runs as (
  insert into run (ledger_id, line_id, from_position, to_position, state, by_seq)
  select head.ledger_id, new.*
  from head, unnest($26::bigint[], $27::bigint[], $28::bigint[], $29::bigint[], $30::bigint[]) as new
  on conflict (ledger_id, line_id, from_position)
  do update set to_position = excluded.to_position, state = excluded.state, by_seq = excluded.by_seq
), subjects as (
  insert into subject (ledger_id, area, id, doc)
  select head.ledger_id, new.*
  from head, unnest($31::text[], $32::text[], $33::bytea[]) as new
  on conflict (ledger_id, area, id)
  do update set doc = excluded.doc
), vaults as (
  insert into vault (ledger_id, seq, person, sealed, wrapped)
  select head.ledger_id, new.*
  from head, unnest($34::bigint[], $35::bigint[], $36::bytea[], $37::bytea[]) as new
), codes as (
  insert into code (ledger_id, purpose, code_hash, subject)
  select head.ledger_id, new.*
  from head, unnest($38::text[], $39::bytea[], $40::text[]) as new
)
select ledger_id
from head
