-- What witnesses have signed: that they saw one consistent history up to a checkpoint, and when. C2SP tlog-cosignature.
create table cosignature (
  ledger_id integer not null,
  size integer not null,
  witness text not null,
  seconds integer not null,
  line text not null,
  primary key (ledger_id, size, witness)
);
