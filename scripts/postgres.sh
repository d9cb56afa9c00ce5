#!/usr/bin/env bash
# A PostgreSQL server of its own in a folder, for tests and measurements: `start DIR` makes it where it is not there yet, starts it on
# a free port of this machine (the same one again later) and prints its URL; `stop DIR [immediate]` stops it; `replica DIR URL` makes and
# starts one that follows the server at URL.
set -euo pipefail

bin=$(command -v pg_config >/dev/null && pg_config --bindir || true)
[ -x "$bin/initdb" ] || bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "no PostgreSQL server is installed" >&2; exit 1; }

# The server refuses to run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi }

prepare() {
  mkdir -p "$dir"
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >"$dir/port"
}

dir=$(realpath -m "$2")
case $1 in
start | replica)
  if [ ! -d "$dir/data" ]; then
    prepare
    if [ "$1" = start ]; then
      as "$bin/initdb" -D "$dir/data" -U mingzhang -A trust -E UTF8 --locale=C >/dev/null
    else
      as "$bin/pg_basebackup" -d "$3" -D "$dir/data" -R -c fast
    fi
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
  echo "start DIR | stop DIR [immediate] | replica DIR URL" >&2
  exit 2
  ;;
esac
