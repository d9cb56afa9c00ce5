insert into ceiling (seq, bytes)
select * from unnest($1::bigint[], $2::bytea[])
