-- Payment channels that post gifts by signed messages. Their secrets are derived from the vault's key and stand nowhere.
create table channel (
  ledger_id integer not null,
  name text not null,
  secret_id text not null,
  staff_id text not null,
  account text not null,
  fund text not null,
  primary key (ledger_id, name)
) without rowid;

-- Who is told of entries. The log is the outbox: a subscription remembers how far it has been told.
create table subscription (
  ledger_id integer not null,
  secret_id text not null,
  url text not null,
  kinds text not null,
  next_seq integer not null,
  failures integer not null,
  try_at integer not null,
  trouble text not null,
  primary key (ledger_id, secret_id)
) without rowid;
