#!/usr/bin/env bash
# A PostgreSQL server of its own in a folder, for tests and measurements: `start DIR` makes it where it is not there yet, starts it on
# a free port of this machine (the same one again later) and prints its URL; `stop DIR [immediate]` stops it.
set -euo pipefail

bin=$(command -v pg_config >/dev/null && pg_config --bindir || true)
[ -x "$bin/initdb" ] || bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "no PostgreSQL server is installed" >&2; exit 1; }

# The server refuses to run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi }

dir=$(realpath -m "$2")
case $1 in
start)
  if [ ! -d "$dir/data" ]; then
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    as "$bin/initdb" -D "$dir/data" -U mingzhang -A trust -E UTF8 --locale=C >/dev/null
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >"$dir/port"
  fi
  port=$(cat "$dir/port")
  as "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -w start \
    -o "-p $port -k '' -c listen_addresses=127.0.0.1 -c max_connections=200" >/dev/null
  echo "postgres://mingzhang@127.0.0.1:$port"
  ;;
stop)
  as "$bin/pg_ctl" -D "$dir/data" -m "${3:-fast}" -w stop >/dev/null
  ;;
*)
  echo "start DIR | stop DIR [immediate]" >&2
  exit 2
  ;;
esac
