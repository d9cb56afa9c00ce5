insert or fail into ceiling (seq, bytes)
values
