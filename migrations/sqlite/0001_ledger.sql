-- The log, what is derived from it, and what must be erasable. `ledger_id` leads every key.

-- One row a ledger: where its log ends. A batch is committed only on the head that it was decided on.
create table ledger (
  ledger_id integer primary key,
  origin text not null unique,
  slug text not null unique,
  size integer not null,
  last_leaf blob not null,
  last_at integer not null,
  peaks blob not null
);

-- The log. Keyed hashes of the idempotency key, its payload, the external reference and the donor's order number stand beside the
-- bytes, never in them; 0 is none. No index on them: random keys on the durable path cost a factor of 3 to 8 as the file grows.
create table entry (
  ledger_id integer not null,
  seq integer not null,
  leaf blob not null,
  key_hash integer not null,
  payload_hash integer not null,
  reference_hash integer not null,
  order_hash integer not null,
  bytes blob not null,
  primary key (ledger_id, seq)
);

create trigger entry_is_not_changed before update on entry
begin
  select raise(abort, 'entries are append-only');
end;

create trigger entry_is_not_removed before delete on entry
begin
  select raise(abort, 'entries are append-only');
end;

-- Derived: names of lines, in order of first use.
create table line (
  ledger_id integer not null,
  line_id integer not null,
  name text not null,
  primary key (ledger_id, line_id)
) without rowid;

-- Derived: each post as a fact; op 0 in, 1 hold, 2 out, 3 free, 4 void; of_seq -1 is none. Answers "as of tree size n".
create table span (
  ledger_id integer not null,
  line_id integer not null,
  op integer not null,
  from_position integer not null,
  seq integer not null,
  place integer not null,
  to_position integer not null,
  of_seq integer not null,
  primary key (ledger_id, line_id, op, from_position, seq, place)
) without rowid;

-- Derived: maximal runs of one state and owner; state 0 free, 1 held, 2 spent, 3 void. Answers "now".
create table run (
  ledger_id integer not null,
  line_id integer not null,
  from_position integer not null,
  to_position integer not null,
  state integer not null,
  by_seq integer not null,
  primary key (ledger_id, line_id, from_position)
) without rowid;

-- Derived: the current state of each thing (account, fund, campaign, case, disbursement), as canonical JSON.
create table subject (
  ledger_id integer not null,
  area text not null,
  id text not null,
  doc blob not null,
  primary key (ledger_id, area, id)
) without rowid;

-- Signed checkpoints; old ones stay.
create table checkpoint (
  ledger_id integer not null,
  size integer not null,
  note text not null,
  primary key (ledger_id, size)
) without rowid;

-- Erasable: record and salt behind a commitment, sealed with the person's key; and that key, wrapped with the vault's. Erasing a
-- person removes all rows of that person, and with them the last copy of the key.
create table vault (
  ledger_id integer not null,
  seq integer not null,
  person integer not null,
  sealed blob not null,
  wrapped blob not null,
  primary key (ledger_id, seq)
);

-- Hashes of codes that were shown once: a receipt code opens a gift, a family code confirms the payments of a case.
create table code (
  ledger_id integer not null,
  purpose text not null,
  code_hash blob not null,
  subject text not null,
  primary key (ledger_id, purpose, code_hash)
) without rowid;

-- Who may do what here; the first one admitted is whom the local command line acts as.
create table staff (
  ledger_id integer not null,
  staff_id text not null,
  place integer not null,
  name text not null,
  primary key (ledger_id, staff_id)
) without rowid;

create table staff_role (
  ledger_id integer not null,
  staff_id text not null,
  role text not null,
  primary key (ledger_id, staff_id, role)
) without rowid;
