#!/usr/bin/env bash
# Builds and tests everything. Installs the few outside programs that the tests look through, where it may; a test whose program is
# missing says so.
set -euo pipefail
cd "$(dirname "$0")/.."

# Pages are looked at in a real browser, driven by node.
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium fonts-noto-cjk)
command -v npm >/dev/null || missing+=(npm)
command -v pdftotext >/dev/null || missing+=(poppler-utils)
command -v sqlite3 >/dev/null || missing+=(sqlite3)
command -v python3 >/dev/null || missing+=(python3)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing+=(postgresql)
if ((${#missing[@]})) && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 ||
    echo "could not install: ${missing[*]} (the tests that need them say so)"
fi

if command -v npm >/dev/null && [ ! -d tests/browser/node_modules/axe-core ]; then
  npm ci --prefix tests/browser --silent --no-audit --no-fund >/dev/null 2>&1 || echo "could not install what drives the browser (its tests say so)"
fi

cargo build --locked --all-targets

# A PostgreSQL server for those tests that keep ledgers on one.
if [ -z "${MINGZHANG_TEST_POSTGRES:-}" ]; then
  server=$(mktemp -d)
  chmod 755 "$server"
  if MINGZHANG_TEST_POSTGRES=$(scripts/postgres.sh start "$server"); then
    export MINGZHANG_TEST_POSTGRES
    trap 'scripts/postgres.sh stop "$server"; rm -rf "$server"' EXIT
  else
    unset MINGZHANG_TEST_POSTGRES
    echo "no PostgreSQL server could be started (the tests that need one say so)"
  fi
fi

cargo test --locked
# The stories of charities once more, with their ledgers on the server.
if [ -n "${MINGZHANG_TEST_POSTGRES:-}" ]; then
  MINGZHANG_TEST_STORE=postgres cargo test --locked --test main -- story:: steps:: http:: by_server:: webhooks:: edges:: dry_run:: tiles::
fi
