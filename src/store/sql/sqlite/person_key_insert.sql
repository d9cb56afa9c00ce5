insert into person_key (ledger_id, person, wrapped)
values
