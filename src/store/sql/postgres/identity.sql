select (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint as server, current_database()::text as database
