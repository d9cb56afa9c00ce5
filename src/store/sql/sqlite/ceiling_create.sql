create table if not exists ceiling (
  seq integer primary key,
  bytes blob not null
)
