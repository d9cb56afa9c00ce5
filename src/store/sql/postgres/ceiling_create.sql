create table if not exists ceiling (
  seq bigint primary key,
  bytes bytea not null
)
