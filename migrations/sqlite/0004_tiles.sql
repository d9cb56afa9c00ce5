-- Derived: the hashes of the tree in tiles, see C2SP tlog-tiles, so that a proof reads a few rows. Of level 0 only full ones; the last of
-- the others grows.
create table tile (
  ledger_id integer not null,
  level integer not null,
  place integer not null,
  hashes blob not null,
  primary key (ledger_id, level, place)
);
