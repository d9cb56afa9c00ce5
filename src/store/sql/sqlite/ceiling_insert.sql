insert into ceiling (seq, bytes)
values
