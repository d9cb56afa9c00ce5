-- Derived: the hashes of the tree in tiles, see C2SP tlog-tiles, so that a proof reads a few rows. Of level 0 only full ones; the last of
-- the others grows.
create table tile (
  ledger_id bigint not null,
  level bigint not null,
  place bigint not null,
  hashes bytea not null,
  primary key (ledger_id, level, place)
);
