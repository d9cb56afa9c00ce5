#!/usr/bin/env bash
# Backups with PostgreSQL's own tools. `base URL DIR` takes a base backup of the server at URL, with the WAL that makes it consistent;
# `archive ARCHIVE` prints the settings that have the server archive its WAL there; `restore DIR ARCHIVE DATA [TIME]` makes the data
# directory DATA of a base backup and its archive, to be recovered to TIME or to the end when a server is started on it.
set -euo pipefail

bin=$(command -v pg_config >/dev/null && pg_config --bindir || true)
[ -x "$bin/pg_basebackup" ] || bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)

case "${1:-} $#" in
"base 3")
  "$bin/pg_basebackup" --dbname "$2" --pgdata "$3" --format plain --wal-method stream --checkpoint fast
  "$bin/pg_verifybackup" "$3"
  ;;
"archive 2")
  archive=$(realpath -m "$2")
  echo "archive_mode = on"
  echo "archive_command = 'test ! -f \"$archive/%f\" && cp %p \"$archive/%f.part\" && sync \"$archive/%f.part\" && mv \"$archive/%f.part\" \"$archive/%f\"'"
  echo "archive_timeout = 60"
  ;;
"restore 4" | "restore 5")
  archive=$(realpath "$3")
  [ ! -e "$4" ] || { echo "$4 exists already" >&2; exit 1; }
  cp -a "$2" "$4"
  chmod 700 "$4"
  {
    echo "restore_command = 'cp \"$archive/%f\" %p'"
    [ -z "${5:-}" ] || echo "recovery_target_time = '$5'"
    [ -z "${5:-}" ] || echo "recovery_target_action = promote"
    echo "archive_mode = off"
  } >>"$4/postgresql.auto.conf"
  touch "$4/recovery.signal"
  ;;
*)
  echo "base URL DIR | archive ARCHIVE | restore DIR ARCHIVE DATA [TIME]" >&2
  exit 2
  ;;
esac
