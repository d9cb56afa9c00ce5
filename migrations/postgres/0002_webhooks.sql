-- Payment channels that post gifts by signed messages. Their secrets are derived from the vault's key and stand nowhere.
create table channel (
  ledger_id bigint not null,
  name text collate "C" not null,
  secret_id text collate "C" not null,
  staff_id text collate "C" not null,
  account text collate "C" not null,
  fund text collate "C" not null,
  primary key (ledger_id, name)
);

-- Who is told of entries. The log is the outbox: a subscription remembers how far it has been told.
create table subscription (
  ledger_id bigint not null,
  secret_id text collate "C" not null,
  url text collate "C" not null,
  kinds text collate "C" not null,
  next_seq bigint not null,
  failures bigint not null,
  try_at bigint not null,
  trouble text collate "C" not null,
  primary key (ledger_id, secret_id)
);
