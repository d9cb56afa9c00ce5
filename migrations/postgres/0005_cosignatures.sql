-- What witnesses have signed: that they saw one consistent history up to a checkpoint, and when. C2SP tlog-cosignature.
create table cosignature (
  ledger_id bigint not null,
  size bigint not null,
  witness text not null,
  seconds bigint not null,
  line text not null,
  primary key (ledger_id, size, witness)
);
