-- Nodes that serve a ledger, and what each of them is, so that one which differs is noticed.
create table node (
  ledger_id bigint not null,
  node_id text collate "C" not null,
  version text collate "C" not null,
  rules text collate "C" not null,
  keys text collate "C" not null,
  seen_at bigint not null,
  primary key (ledger_id, node_id)
);
