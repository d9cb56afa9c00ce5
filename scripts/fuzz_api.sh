#!/usr/bin/env bash
# Throws what schemathesis makes of the OpenAPI document at a served worked example; no answer may be a 5xx or differ from the document.
# The bulk of gifts is NDJSON, which it cannot write; tests/http.rs does. Installs schemathesis into a folder of its own. Further arguments go to it, as --max-examples 500.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet schemathesis
cargo build --locked
program=$PWD/target/debug/mingzhang
"$program" demo --no-serve --dir "$work/books" >/dev/null
token=$("$program" user token 李经办 --data "$work/books" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
"$program" serve --data "$work/books" --listen 127.0.0.1:0 --json >"$work/address" 2>"$work/log" &
server=$!
until [ -s "$work/address" ]; do sleep 0.1; done
address=$(python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["listening"])' <"$work/address")
# It leaves its cache where it runs.
cd "$work"
"$work/venv/bin/schemathesis" run "http://$address/api/v1/openapi.json" --header "Authorization: Bearer $token" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --exclude-path /donations/bulk "$@"
kill "$server"
wait "$server" || true
"$program" verify --data "$work/books"
